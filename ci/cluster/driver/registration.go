package main

import (
	"context"

	"k8s.io/klog/v2"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

// registrar makes the driver known to the kubelet, in place of the sidecar
// node-driver-registrar.
type registrar struct {
	registration.UnimplementedRegistrationServer
	name   string
	socket string // of the driver, as the kubelet sees it
	failed func()
}

func (r *registrar) GetInfo(context.Context, *registration.InfoRequest) (*registration.PluginInfo, error) {
	return &registration.PluginInfo{
		Type:              registration.CSIPlugin,
		Name:              r.name,
		Endpoint:          r.socket,
		SupportedVersions: []string{"1.0.0"},
	}, nil
}

// NotifyRegistrationStatus ends the driver after a failure: the kubelet tries
// again when the socket is made anew.
func (r *registrar) NotifyRegistrationStatus(_ context.Context, s *registration.RegistrationStatus) (*registration.RegistrationStatusResponse, error) {
	if s.GetPluginRegistered() {
		klog.InfoS("The kubelet has registered the driver", "driver", r.name)
	} else {
		klog.ErrorS(nil, "The kubelet refused the driver; it ends, to be started again", "driver", r.name, "reason", s.GetError())
		r.failed()
	}
	return &registration.RegistrationStatusResponse{}, nil
}
