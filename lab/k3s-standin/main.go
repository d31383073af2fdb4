// Command k3s-standin takes the place of k3s in the lab's virtual machines. It is not k3s and says so when it starts: no
// container runs under it. lab/k3s-standin/README.md says what it is true about.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// version is that of the k3s it stands in for; set by the linker.
var version = "v1.21.5+k3s2"

const notice = "this is k3s-standin, not k3s: it joins, registers and keeps a Node alive, and plays its pods"

func main() {
	if err := run(filepath.Base(os.Args[0]), os.Args[1:]); err != nil {
		logf("fatal: %v", err)
		os.Exit(1)
	}
}

func run(name string, args []string) error {
	if name == "kubectl" || name == "crictl" || name == "ctr" {
		return fmt.Errorf("%s: %s", name, notice)
	}
	if len(args) == 0 {
		return fmt.Errorf("usage: k3s --version | agent FLAGS | server FLAGS | supervisor FLAGS")
	}
	switch args[0] {
	case "--version", "-v":
		fmt.Printf("k3s version %s (standin)\n", version)
		return nil
	case "agent":
		return runAgent(args)
	case "server":
		return runServer(args)
	case "supervisor":
		return runSupervisor(args[1:])
	}
	return fmt.Errorf("k3s %s: the stand-in has no such role", args[0])
}

func logf(format string, values ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", values...)
}
