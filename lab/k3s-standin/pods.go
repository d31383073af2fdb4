package main

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

type pod struct {
	Metadata struct {
		Name              string     `json:"name"`
		Namespace         string     `json:"namespace"`
		DeletionTimestamp *time.Time `json:"deletionTimestamp"`
	} `json:"metadata"`
	Spec struct {
		Containers []struct {
			Name  string `json:"name"`
			Image string `json:"image"`
		} `json:"containers"`
	} `json:"spec"`
	Status struct {
		Phase string `json:"phase"`
	} `json:"status"`
}

// playPods does to the pods of this node what a kubelet would: they run at once, and are gone when their grace is over. No
// container runs.
func (n *node) playPods() error {
	var list struct {
		Items []pod `json:"items"`
	}
	if err := n.api.ask(http.MethodGet, "/api/v1/pods?fieldSelector=spec.nodeName="+n.settings.nodeName, nil, &list); err != nil {
		return err
	}
	var failures []error
	for index, each := range list.Items {
		path := fmt.Sprintf("/api/v1/namespaces/%s/pods/%s", each.Metadata.Namespace, each.Metadata.Name)
		switch {
		case each.Metadata.DeletionTimestamp != nil:
			// The time in it is already the end of the grace.
			if time.Now().After(*each.Metadata.DeletionTimestamp) {
				err := n.api.ask(http.MethodDelete, path, object{"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0}, nil)
				if !errors.Is(err, errNotFound) {
					failures = append(failures, err)
				}
			}
		case each.Status.Phase != "Running" && each.Status.Phase != "Succeeded" && each.Status.Phase != "Failed":
			failures = append(failures, n.api.ask(http.MethodPatch, path+"/status", object{"status": running(each, index)}, nil))
		}
	}
	return errors.Join(failures...)
}

func running(each pod, index int) object {
	now := time.Now().UTC().Format(time.RFC3339)
	conditions, containers := []object{}, []object{}
	for _, kind := range []string{"Initialized", "Ready", "ContainersReady", "PodScheduled"} {
		conditions = append(conditions, object{"type": kind, "status": "True", "lastTransitionTime": now})
	}
	for _, container := range each.Spec.Containers {
		containers = append(containers, object{"name": container.Name, "image": container.Image, "imageID": "", "ready": true,
			"started": true, "restartCount": 0, "state": object{"running": object{"startedAt": now}}})
	}
	ip := fmt.Sprintf("10.42.0.%d", 2+index%250)
	return object{"phase": "Running", "startTime": now, "hostIP": address(), "podIP": ip, "podIPs": []object{{"ip": ip}},
		"conditions": conditions, "containerStatuses": containers}
}
