// Command k8s is a Kubernetes control plane of the age of k3OS, which serves PodDisruptionBudgets and evictions as
// policy/v1beta1 only. Datastore, simulated kubelet and client are those of the newer binary beside it.
package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"k8s.io/component-base/logs"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	kcm "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"

	"k3os-migrate.lab/multicall"
)

func main() {
	multicall.Run(map[string]func() int{
		"apiserver":          func() int { return run(apiserver.NewAPIServerCommand()) },
		"controller-manager": func() int { return run(kcm.NewControllerManagerCommand()) },
		"scheduler":          func() int { return run(scheduler.NewSchedulerCommand()) },
	})
}

// run is what later versions of component-base call cli.Run.
func run(command *cobra.Command) int {
	logs.InitLogs()
	defer logs.FlushLogs()
	if err := command.Execute(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
