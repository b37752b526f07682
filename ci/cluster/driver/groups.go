package main

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"snapready/ci/cluster/driver/fault"
	"snapready/ci/cluster/driver/store"
)

func (d *driver) CreateVolumeGroupSnapshot(ctx context.Context, r *csi.CreateVolumeGroupSnapshotRequest) (*csi.CreateVolumeGroupSnapshotResponse, error) {
	if err := d.capabilities.require("group-snapshots"); err != nil {
		return nil, err
	}
	if r.GetName() == "" {
		return nil, missing("name")
	}
	if len(r.GetSourceVolumeIds()) == 0 {
		return nil, missing("source volume ids")
	}
	faults, err := fault.ParseSnapshot(r.GetParameters())
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	id := store.GroupID(r.GetName())
	unlock, err := d.store.Lock(id)
	if err != nil {
		return nil, err
	}
	defer unlock()

	sources := slices.Compact(slices.Sorted(slices.Values(r.GetSourceVolumeIds())))
	made, err := d.store.Group(id)
	if err == nil {
		if !slices.Equal(made.Volumes, sources) {
			return nil, status.Errorf(codes.AlreadyExists, "group snapshot %s already exists for the name %s, of the volumes %q", id, r.GetName(), made.Volumes)
		}
		answer, err := d.answerGroup(made)
		return &csi.CreateVolumeGroupSnapshotResponse{GroupSnapshot: answer}, err
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	group := &store.Group{ID: id, Name: r.GetName(), Volumes: sources, Delete: deleteValue(r.GetParameters()), DeleteMessage: fault.Message(r.GetParameters()), NotReady: faults.Kind("snapshot") == fault.NeverReady}
	var members []*store.Snapshot
	for _, volume := range sources {
		if _, err := d.volume(volume); err != nil {
			return nil, err
		}
		member := store.MemberID(r.GetName(), volume)
		members = append(members, &store.Snapshot{ID: member, Name: r.GetName(), Volume: volume, Group: id})
		group.Snapshots = append(group.Snapshots, member)
	}
	if err := d.act(ctx, faults["snapshot"], "create group snapshot "+r.GetName(), id); err != nil {
		return nil, err
	}
	if err := d.cutSnapshots(ctx, members, faults); err != nil {
		return nil, err
	}
	group.Created = time.Now()
	// From here on its members exist too.
	if err := d.store.SaveGroup(group); err != nil {
		return nil, err
	}
	d.store.Done(id)
	answer, err := d.answerGroup(group)
	return &csi.CreateVolumeGroupSnapshotResponse{GroupSnapshot: answer}, err
}

func (d *driver) GetVolumeGroupSnapshot(_ context.Context, r *csi.GetVolumeGroupSnapshotRequest) (*csi.GetVolumeGroupSnapshotResponse, error) {
	if err := d.capabilities.require("group-snapshots"); err != nil {
		return nil, err
	}
	id := r.GetGroupSnapshotId()
	if id == "" {
		return nil, missing("group snapshot id")
	}
	group, err := d.store.Group(id)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, status.Errorf(codes.NotFound, "group snapshot %s does not exist", id)
	}
	if err != nil {
		return nil, err
	}
	if err := expectMembers(group, r.GetSnapshotIds()); err != nil {
		return nil, err
	}
	answer, err := d.answerGroup(group)
	return &csi.GetVolumeGroupSnapshotResponse{GroupSnapshot: answer}, err
}

func (d *driver) DeleteVolumeGroupSnapshot(ctx context.Context, r *csi.DeleteVolumeGroupSnapshotRequest) (*csi.DeleteVolumeGroupSnapshotResponse, error) {
	if err := d.capabilities.require("group-snapshots"); err != nil {
		return nil, err
	}
	id := r.GetGroupSnapshotId()
	if id == "" {
		return nil, missing("group snapshot id")
	}
	unlock, err := d.store.Lock(id)
	if err != nil {
		return nil, err
	}
	defer unlock()
	group, err := d.store.Group(id)
	if errors.Is(err, fs.ErrNotExist) {
		return &csi.DeleteVolumeGroupSnapshotResponse{}, nil
	}
	if err != nil {
		return nil, err
	}
	if err := expectMembers(group, r.GetSnapshotIds()); err != nil {
		return nil, err
	}
	if leaked, err := d.faultyDelete(ctx, group.Delete, group.DeleteMessage, "delete group snapshot "+id); leaked || err != nil {
		return &csi.DeleteVolumeGroupSnapshotResponse{}, err
	}
	for _, member := range group.Snapshots {
		unlock, err := d.store.Lock(member) // not while it is being restored
		if err != nil {
			return nil, err
		}
		defer unlock()
	}
	return &csi.DeleteVolumeGroupSnapshotResponse{}, d.store.RemoveGroup(group)
}

// expectMembers compares with the list of the caller, which may be left out.
func expectMembers(group *store.Group, given []string) error {
	if len(given) == 0 || slices.Equal(slices.Sorted(slices.Values(given)), slices.Sorted(slices.Values(group.Snapshots))) {
		return nil
	}
	return status.Errorf(codes.InvalidArgument, "group snapshot %s has the snapshots %q, and the request names %q", group.ID, group.Snapshots, given)
}

func (d *driver) answerGroup(group *store.Group) (*csi.VolumeGroupSnapshot, error) {
	answer := &csi.VolumeGroupSnapshot{
		GroupSnapshotId: group.ID,
		CreationTime:    timestamppb.New(group.Created),
		ReadyToUse:      !group.NotReady,
	}
	for _, id := range group.Snapshots {
		member, err := d.snapshot(id)
		if err != nil {
			return nil, err
		}
		answer.Snapshots = append(answer.Snapshots, answerSnapshot(member))
	}
	return answer, nil
}
