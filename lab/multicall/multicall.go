// Package multicall lets one binary hold several programs, chosen by its first argument. Kubernetes' components share
// most of their code, so one binary is a third of the size, and of the link time, of one for each.
package multicall

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// Run runs the program named by the first argument and ends the process with its exit code.
func Run(programs map[string]func() int) {
	followLifeline()
	if len(os.Args) > 1 {
		if program, ok := programs[os.Args[1]]; ok {
			// The programs read os.Args themselves, some of them before their command line is parsed.
			os.Args = os.Args[1:]
			os.Exit(program())
		}
		fmt.Fprintf(os.Stderr, "%s: unknown program %q\n", os.Args[0], os.Args[1])
	}
	fmt.Fprintf(os.Stderr, "usage: %s %s [flags]\n", os.Args[0], strings.Join(slices.Sorted(maps.Keys(programs)), "|"))
	os.Exit(2)
}

// followLifeline ends this process when its standard input does, if the environment asks for it. The starter holds the
// other end of that pipe, and the kernel closes it however the starter dies: no server outlives a killed test run.
func followLifeline() {
	if os.Getenv("LAB_LIFELINE") != "stdin" {
		return
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
}
