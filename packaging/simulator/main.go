// Command simulator is the demo's made-up CloudSSO without the exporter, for
// tests of an installed package: it listens on the address it is given, and
// writes to stdout what /etc/cloudsso_exporter/config.yaml says to be watched.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"cloudsso_exporter/internal/simulator"
)

func main() {
	key := simulator.Key{ID: "LTAIpackages", Secret: "packages-secret"}
	api := simulator.New(simulator.Options{Keys: []simulator.Key{key}})
	scenario := simulator.Scenario{Epoch: time.Now()}
	scenario.Play(api)
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("directories:")
	for _, d := range scenario.Directories() {
		fmt.Printf("  - {directory_id: %s, region: %s, endpoint: 'http://%s', credential: {type: access_key, access_key_id: %s, access_key_secret: %s}}\n",
			d.ID, d.Region, listener.Addr(), key.ID, key.Secret)
	}
	log.Fatal(http.Serve(listener, api))
}
