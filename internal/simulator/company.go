package simulator

import "strings"

// company is what one directory of a scenario knows: whom access is given to,
// where, and what it allows. It never changes.
type company struct {
	DirectoryInfo

	accounts       []account
	configurations []named
	principals     []named // users, then groups
	leaver         named
}

type named struct{ id, name string }

type account struct {
	named
	folder         string // its id
	path, pathName string // in the resource directory
}

// DirectoryInfo is what people know a directory by.
type DirectoryInfo struct {
	ID, Name, Region string
}

const (
	userNames = "wang.fang li.wei zhang.min liu.yang chen.jie yang.lei zhao.ting huang.bo anna.schmidt jonas.weber maria.rossi " +
		"piotr.nowak sofia.lindqvist james.okafor priya.sharma kenji.sato minjun.kim nguyen.linh lucas.martin emma.clarke " +
		"omar.haddad ines.pereira tom.vandenberg siti.rahma"
	groupNames = "platform-engineers sre-oncall shop-developers payments-developers data-engineers " +
		"data-scientists security-team finance-controllers external-auditors interns"
	configurationNames = "Administrator ReadOnly ECS-Admin RDS-Operator OSS-DataEngineer ACK-Developer " +
		"Network-Admin Billing-Viewer Security-Auditor SLS-LogReader PowerUser"
)

// accountNames are by folder of the resource directory, which comes first.
func accountNames() []string {
	return []string{
		"Core log-archive security-audit shared-services network-hub",
		"Commerce shop-prod shop-staging shop-dev payments-prod payments-staging",
		"Logistics warehouse-prod warehouse-test tracking-prod tracking-dev",
		"Data data-lake-prod data-lake-dev reporting-prod ml-training",
		"Sandbox sandbox-platform sandbox-frontend sandbox-interns",
	}
}

// Names that only the special stories use, so that no other task settles the
// revocation that never succeeds.
const (
	leaverName    = "contractor.m.bauer"
	emergencyName = "Emergency-Administrator"
)

// companies returns the two directories of the scenario with the seed.
func companies(seed uint64) []company {
	return []company{
		newCompany(seed, 0, DirectoryInfo{ID: "d-00fc2p61demo", Name: "production", Region: "cn-shanghai"}),
		newCompany(seed, 1, DirectoryInfo{ID: "d-00jhtfl8demo", Name: "international", Region: "eu-central-1"}),
	}
}

func newCompany(seed uint64, number int, info DirectoryInfo) company {
	d := throw(seed, uint64(number), 'c')
	c := company{DirectoryInfo: info}
	directory, root := "rd-3G"+d.letters(4), "r-Wm"+d.letters(4)
	for _, names := range accountNames() {
		folderID := "fd-" + d.letters(10)
		folder, names, _ := strings.Cut(names, " ")
		for name := range strings.FieldsSeq(names) {
			id := d.digits(16)
			c.accounts = append(c.accounts, account{
				named:    named{id, name},
				folder:   folderID,
				path:     directory + "/" + root + "/" + folderID + "/" + id,
				pathName: directory + "/root/" + folder + "/" + name,
			})
		}
	}
	name := func(prefix, names string) (out []named) {
		for n := range strings.FieldsSeq(names) {
			out = append(out, named{prefix + "00" + d.letters(18), n})
		}
		return out
	}
	c.configurations = name("ac-", configurationNames+" "+emergencyName)
	c.principals = append(name("u-", userNames), name("g-", groupNames)...)
	c.leaver = name("u-", leaverName)[0]
	return c
}
