package main

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"snapready/ci/cluster/driver/disk"
	"snapready/ci/cluster/driver/fault"
	"snapready/ci/cluster/driver/store"
)

var noTime time.Time

func (d *driver) CreateVolume(ctx context.Context, r *csi.CreateVolumeRequest) (*csi.CreateVolumeResponse, error) {
	if r.GetName() == "" {
		return nil, missing("name")
	}
	if len(r.GetVolumeCapabilities()) == 0 {
		return nil, missing("volume capabilities")
	}
	mode, err := d.modeOf(r.GetVolumeCapabilities()...)
	if err != nil {
		return nil, err
	}
	faults, err := fault.ParseVolume(r.GetParameters())
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	if len(r.GetMutableParameters()) > 0 {
		return nil, status.Error(codes.InvalidArgument, "mutable parameters (VolumeAttributesClass) are not supported")
	}
	id := store.VolumeID(r.GetName())
	unlock, err := d.store.Lock(id)
	if err != nil {
		return nil, err
	}
	defer unlock()

	made, err := d.store.Volume(id)
	if err == nil {
		return d.madeBefore(made, mode, r)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	v := &store.Volume{
		ID: id, Name: r.GetName(), Mode: mode, Origin: id, Delete: deleteValue(r.GetParameters()), DeleteMessage: fault.Message(r.GetParameters()),
		FromSnapshot: r.GetVolumeContentSource().GetSnapshot().GetSnapshotId(),
		FromVolume:   r.GetVolumeContentSource().GetVolume().GetVolumeId(),
		RootOnly:     faults.Kind("device") == fault.RootOnly,
	}
	switch {
	case v.FromSnapshot != "":
		err = d.restore(ctx, v, r, faults["restore"])
	case v.FromVolume != "":
		err = d.clone(ctx, v, r)
	default:
		err = d.provision(ctx, v, r, faults["provision"])
	}
	if err != nil {
		return nil, err
	}
	v.Created = time.Now()
	if err := d.store.SaveVolume(v); err != nil {
		return nil, err
	}
	d.store.Done(id)
	return &csi.CreateVolumeResponse{Volume: answerVolume(v)}, nil
}

// madeBefore answers a repeated request, if it asks for the same volume.
func (d *driver) madeBefore(v *store.Volume, mode store.Mode, r *csi.CreateVolumeRequest) (*csi.CreateVolumeResponse, error) {
	capacity := r.GetCapacityRange()
	differs := ""
	switch {
	case v.Mode != mode:
		differs = "volume mode"
	case v.FromSnapshot != r.GetVolumeContentSource().GetSnapshot().GetSnapshotId(),
		v.FromVolume != r.GetVolumeContentSource().GetVolume().GetVolumeId():
		differs = "content source"
	case v.Capacity < capacity.GetRequiredBytes(), capacity.GetLimitBytes() > 0 && v.Capacity > capacity.GetLimitBytes():
		differs = "capacity"
	default:
		return &csi.CreateVolumeResponse{Volume: answerVolume(v)}, nil
	}
	return nil, status.Errorf(codes.AlreadyExists, "volume %s already exists for the name %s with another %s", v.ID, v.Name, differs)
}

func (d *driver) DeleteVolume(ctx context.Context, r *csi.DeleteVolumeRequest) (*csi.DeleteVolumeResponse, error) {
	id := r.GetVolumeId()
	if id == "" {
		return nil, missing("volume id")
	}
	unlock, err := d.store.Lock(id)
	if err != nil {
		return nil, err
	}
	defer unlock()
	v, err := d.store.Volume(id)
	if errors.Is(err, fs.ErrNotExist) {
		return &csi.DeleteVolumeResponse{}, nil
	}
	if err != nil {
		return nil, err
	}
	if leaked, err := d.faultyDelete(ctx, v.Delete, v.DeleteMessage, "delete volume "+id); leaked || err != nil {
		return &csi.DeleteVolumeResponse{}, err
	}
	// Also of a volume whose record says that nobody uses it.
	devices, err := disk.Devices(d.store.VolumeImage(id))
	if err != nil {
		return nil, err
	}
	if len(devices) > 0 {
		return nil, status.Errorf(codes.FailedPrecondition, "volume %s is in use on node %s (%s)", id, stagedOn(v), devices[0])
	}
	return &csi.DeleteVolumeResponse{}, d.store.RemoveVolume(id)
}

// faultyDelete obeys the recorded parameter delete; leaked means that the
// caller is to be told of success while everything stays.
func (d *driver) faultyDelete(ctx context.Context, recorded string, message *string, operation string) (leaked bool, err error) {
	f, err := fault.ParseDelete(recorded, message)
	if err != nil {
		return false, err
	}
	return f.Kind == fault.Leak, f.Act(ctx, operation, noTime)
}

func deleteValue(parameters map[string]string) string { return parameters["delete"] }

func (d *driver) ControllerExpandVolume(_ context.Context, r *csi.ControllerExpandVolumeRequest) (*csi.ControllerExpandVolumeResponse, error) {
	if err := d.capabilities.require("expand"); err != nil {
		return nil, err
	}
	if r.GetVolumeId() == "" {
		return nil, missing("volume id")
	}
	if r.GetCapacityRange() == nil {
		return nil, missing("capacity range")
	}
	unlock, err := d.store.Lock(r.GetVolumeId())
	if err != nil {
		return nil, err
	}
	defer unlock()
	v, err := d.volume(r.GetVolumeId())
	if err != nil {
		return nil, err
	}
	size, err := sizeFor(r.GetCapacityRange(), v.Mode, v.Capacity)
	if err != nil {
		return nil, err
	}
	if err := d.expectRoom(size - v.Capacity); err != nil {
		return nil, err
	}
	if err := disk.Grow(d.store.VolumeImage(v.ID), size); err != nil {
		return nil, err
	}
	v.Capacity = size
	// The node's loop device does not notice by itself, in either mode.
	return &csi.ControllerExpandVolumeResponse{CapacityBytes: size, NodeExpansionRequired: true}, d.store.SaveVolume(v)
}

func (d *driver) ValidateVolumeCapabilities(_ context.Context, r *csi.ValidateVolumeCapabilitiesRequest) (*csi.ValidateVolumeCapabilitiesResponse, error) {
	if r.GetVolumeId() == "" {
		return nil, missing("volume id")
	}
	if len(r.GetVolumeCapabilities()) == 0 {
		return nil, missing("volume capabilities")
	}
	v, err := d.volume(r.GetVolumeId())
	if err != nil {
		return nil, err
	}
	mode, err := d.modeOf(r.GetVolumeCapabilities()...)
	if err != nil {
		return &csi.ValidateVolumeCapabilitiesResponse{Message: messageOf(err)}, nil
	}
	if mode != v.Mode {
		return &csi.ValidateVolumeCapabilitiesResponse{Message: "volume " + v.ID + " has the volume mode " + string(v.Mode)}, nil
	}
	return &csi.ValidateVolumeCapabilitiesResponse{Confirmed: &csi.ValidateVolumeCapabilitiesResponse_Confirmed{
		VolumeContext:      r.GetVolumeContext(),
		VolumeCapabilities: r.GetVolumeCapabilities(),
		Parameters:         r.GetParameters(),
	}}, nil
}

func (d *driver) ControllerGetVolume(_ context.Context, r *csi.ControllerGetVolumeRequest) (*csi.ControllerGetVolumeResponse, error) {
	if err := d.capabilities.require("list"); err != nil {
		return nil, err
	}
	if r.GetVolumeId() == "" {
		return nil, missing("volume id")
	}
	v, err := d.volume(r.GetVolumeId())
	if err != nil {
		return nil, err
	}
	return &csi.ControllerGetVolumeResponse{Volume: answerVolume(v), Status: &csi.ControllerGetVolumeResponse_VolumeStatus{}}, nil
}

func answerVolume(v *store.Volume) *csi.Volume {
	answer := &csi.Volume{VolumeId: v.ID, CapacityBytes: v.Capacity}
	if v.FromSnapshot != "" {
		answer.ContentSource = &csi.VolumeContentSource{Type: &csi.VolumeContentSource_Snapshot{
			Snapshot: &csi.VolumeContentSource_SnapshotSource{SnapshotId: v.FromSnapshot}}}
	}
	if v.FromVolume != "" {
		answer.ContentSource = &csi.VolumeContentSource{Type: &csi.VolumeContentSource_Volume{
			Volume: &csi.VolumeContentSource_VolumeSource{VolumeId: v.FromVolume}}}
	}
	if v.Node != "" {
		answer.AccessibleTopology = []*csi.Topology{topologyOf(v.Node)}
	}
	return answer
}
