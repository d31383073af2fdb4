// Package judge runs a judge over files and prints what it says, one line for each remark.
package judge

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// Verdict is what a judge says about one file.
type Verdict struct {
	errors   []string
	warnings []string
}

// Reject says why the target would refuse the file.
func (v *Verdict) Reject(format string, a ...any) {
	v.errors = append(v.errors, fmt.Sprintf(format, a...))
}

// Warn says what the target would accept, and is wrong all the same; with -strict it is refused here.
func (v *Verdict) Warn(format string, a ...any) {
	v.warnings = append(v.warnings, fmt.Sprintf(format, a...))
}

// Rejected tells whether anything was refused so far.
func (v *Verdict) Rejected() bool { return len(v.errors) > 0 }

// Judge looks at one file.
type Judge func(path string, data []byte, v *Verdict)

// Bench declares the flags of a judge; what it returns is called when they are parsed.
type Bench func(flags *flag.FlagSet) func() (Judge, error)

// Plain is the bench of a judge without flags.
func Plain(judge Judge) Bench {
	return func(*flag.FlagSet) func() (Judge, error) {
		return func() (Judge, error) { return judge, nil }
	}
}

// Main judges the files named on the command line and ends the process: 0 all accepted, 1 one of them refused, 2 the
// question could not be asked.
func Main(benches map[string]Bench) {
	if len(os.Args) > 1 {
		if bench, ok := benches[os.Args[1]]; ok {
			accepted, err := run(os.Args[1], bench, os.Args[2:])
			switch {
			case err != nil:
				fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args[1], err)
			case accepted:
				os.Exit(0)
			default:
				os.Exit(1)
			}
			os.Exit(2)
		}
		fmt.Fprintf(os.Stderr, "unknown judge %q\n", os.Args[1])
	}
	fmt.Fprintf(os.Stderr, "usage: %s [-strict] [flags] FILE...\n", strings.Join(slices.Sorted(maps.Keys(benches)), "|"))
	os.Exit(2)
}

func run(name string, bench Bench, args []string) (bool, error) {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	strict := flags.Bool("strict", false, "warnings refuse the file, too")
	start := bench(flags)
	if err := flags.Parse(args); err != nil {
		return false, err
	}
	if flags.NArg() == 0 {
		return false, fmt.Errorf("no file to judge")
	}
	judge, err := start()
	if err != nil {
		return false, err
	}
	accepted := true
	for _, path := range flags.Args() {
		data, err := os.ReadFile(path)
		if err != nil {
			return false, err
		}
		verdict := Verdict{}
		judge(path, data, &verdict)
		for _, text := range verdict.warnings {
			fmt.Printf("%s: warning: %s\n", path, text)
		}
		for _, text := range verdict.errors {
			fmt.Printf("%s: error: %s\n", path, text)
		}
		if verdict.Rejected() || (*strict && len(verdict.warnings) > 0) {
			accepted = false
		} else {
			fmt.Printf("%s: ok\n", path)
		}
	}
	return accepted, nil
}
