// Command k8s is a whole Kubernetes cluster in one binary, for tests: control plane, datastore, simulated kubelet,
// client, and the certificates to start them with.
package main

import (
	"fmt"
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	kcm "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"

	"k3os-migrate.lab/multicall"
)

func main() {
	multicall.Run(map[string]func() int{
		"apiserver":          func() int { return cli.Run(apiserver.NewAPIServerCommand()) },
		"controller-manager": func() int { return cli.Run(kcm.NewControllerManagerCommand()) },
		"scheduler":          func() int { return cli.Run(scheduler.NewSchedulerCommand()) },
		"kubectl":            func() int { return cli.Run(kubectl.NewDefaultKubectlCommand()) },
		"etcd":               func() int { etcdmain.Main(os.Args); return 0 },
		"kwok":               func() int { return exitCode(runKwok()) },
		"kwok-stages":        func() int { fmt.Println(kwokStages()); return 0 },
		"certs":              func() int { return exitCode(runCerts(os.Args[1:])) },
	})
}

func exitCode(err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args[0], err)
	return 1
}
