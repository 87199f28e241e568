package config

import (
	"fmt"
	"slices"
)

// Warnings are what is probably not meant, though it works. They name keys, but no line.
func Warnings(c *Config) (found []Problem) {
	known := []string{"cn-shanghai", "cn-hongkong", "ap-northeast-2", "ap-southeast-1", "us-west-1", "eu-central-1"}
	first := map[string]string{} // key path of each account's credential
	for i, d := range c.Directories {
		path := item("directories", i)
		if !slices.Contains(known, d.Region) {
			found = append(found, Problem{Key: path + ".region", Message: fmt.Sprintf(
				"%s is none of the regions where CloudSSO is known to be (%s); check the spelling", d.Region, alternatives(known))})
		}
		if other, twice := first[d.Account()]; twice {
			found = append(found, Problem{Key: path + ".credential", Message: fmt.Sprintf(
				"uses the same account as %s, but an account has only one directory: one of the two is probably wrong", other)})
		} else {
			first[d.Account()] = path + ".credential"
		}
	}
	return found
}
