// Command k3os stands in, inside the lab's virtual machines, for the program of the same name in k3OS. It is not k3OS: it
// reads the configuration from the same places and applies, at the same moments of the boot, what the lab needs of it.
// lab/vm/README.md says point by point what is the same and what is not.
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "k3os (stand-in):", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 1 && args[0] == "--version":
		version, err := os.Readlink("/k3os/system/k3os/current")
		if err != nil {
			return err
		}
		fmt.Println("k3os version", version)
		return nil
	case len(args) == 2 && args[0] == "image-offset":
		return printImageOffset(args[1])
	case len(args) == 2 && args[0] == "config" && args[1] == "--dump-json":
		return dumpJSON()
	case len(args) == 2 && args[0] == "config" && args[1] == "--initrd":
		return apply(initrd)
	case len(args) == 2 && args[0] == "config" && args[1] == "--boot":
		return apply(boot)
	case len(args) == 1 && args[0] == "config":
		return apply(runtime)
	}
	return fmt.Errorf("usage: k3os --version | config [--initrd | --boot | --dump-json] | image-offset FILE")
}
