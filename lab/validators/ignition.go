package main

import (
	"flag"

	butane "github.com/coreos/butane/config"
	butanecommon "github.com/coreos/butane/config/common"
	ignition "github.com/coreos/ignition/v2/config"
	"github.com/coreos/vcontext/report"

	"k3os-migrate.lab/judge"
)

// repeat passes a report on. A key that Ignition does not know is a warning in it: -strict refuses that.
func repeat(rep report.Report, v *judge.Verdict) {
	for _, entry := range rep.Entries {
		if entry.Kind.IsFatal() {
			v.Reject("%s", entry.String())
		} else {
			v.Warn("%s", entry.String())
		}
	}
}

func judgeIgnition(_ string, data []byte, v *judge.Verdict) {
	_, rep, err := ignition.Parse(data)
	repeat(rep, v)
	if err != nil && !v.Rejected() {
		v.Reject("%v", err)
	}
}

// butaneBench judges the source and what it becomes.
func butaneBench(flags *flag.FlagSet) func() (judge.Judge, error) {
	folder := flags.String("files-dir", "", "folder of local files, as for butane")
	return func() (judge.Judge, error) {
		options := butanecommon.TranslateBytesOptions{
			TranslateOptions: butanecommon.TranslateOptions{FilesDir: *folder},
		}
		return func(path string, data []byte, v *judge.Verdict) {
			config, rep, err := butane.TranslateBytes(data, options)
			repeat(rep, v)
			switch {
			case err == nil:
				judgeIgnition(path, config, v)
			case !v.Rejected():
				v.Reject("%v", err)
			}
		}, nil
	}
}
