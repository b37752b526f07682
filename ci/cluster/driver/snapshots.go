package main

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"snapready/ci/cluster/driver/disk"
	"snapready/ci/cluster/driver/fault"
	"snapready/ci/cluster/driver/store"
)

func (d *driver) CreateSnapshot(ctx context.Context, r *csi.CreateSnapshotRequest) (*csi.CreateSnapshotResponse, error) {
	if err := d.capabilities.require("snapshots"); err != nil {
		return nil, err
	}
	if r.GetName() == "" {
		return nil, missing("name")
	}
	if r.GetSourceVolumeId() == "" {
		return nil, missing("source volume id")
	}
	faults, err := fault.ParseSnapshot(r.GetParameters())
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	id := store.SnapshotID(r.GetName())
	unlock, err := d.store.Lock(id)
	if err != nil {
		return nil, err
	}
	defer unlock()

	made, err := d.store.Snapshot(id)
	if err == nil {
		if made.Volume != r.GetSourceVolumeId() {
			return nil, status.Errorf(codes.AlreadyExists, "snapshot %s already exists for the name %s, of volume %s", id, r.GetName(), made.Volume)
		}
		return &csi.CreateSnapshotResponse{Snapshot: answerSnapshot(made)}, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if _, err := d.volume(r.GetSourceVolumeId()); err != nil {
		return nil, err
	}
	if err := d.act(ctx, faults["snapshot"], "create snapshot "+r.GetName()+" of volume "+r.GetSourceVolumeId(), id); err != nil {
		return nil, err
	}
	cutting := []*store.Snapshot{{ID: id, Name: r.GetName(), Volume: r.GetSourceVolumeId(), Delete: deleteValue(r.GetParameters()), DeleteMessage: fault.Message(r.GetParameters())}}
	if err := d.cutSnapshots(ctx, cutting, faults); err != nil {
		return nil, err
	}
	d.store.Done(id)
	return &csi.CreateSnapshotResponse{Snapshot: answerSnapshot(cutting[0])}, nil
}

// cutSnapshots cuts the snapshots as of one moment, and completes and saves
// their records.
func (d *driver) cutSnapshots(ctx context.Context, cutting []*store.Snapshot, faults fault.Parameters) error {
	var ids, sources []string
	for _, s := range cutting {
		unlock, err := d.store.LockShared(s.Volume)
		if err != nil {
			return err
		}
		defer unlock()
		v, err := d.volume(s.Volume)
		if err != nil {
			return err
		}
		s.Size, s.Mode, s.Origin, s.Node = v.Capacity, v.Mode, v.Origin, v.Node
		s.NotReady = faults.Kind("snapshot") == fault.NeverReady
		s.SizeZero = faults.Kind("snapshot") == fault.SizeZero
		ids = append(ids, s.ID)
		sources = append(sources, d.store.VolumeImage(v.ID))
	}
	err := d.store.NewSnapshotImages(ids, func(paths []string) error {
		return disk.Cut(ctx, sources, paths)
	})
	if err != nil {
		return err
	}
	now := time.Now()
	for _, s := range cutting {
		s.Created = now
		if err := d.store.SaveSnapshot(s); err != nil {
			return err
		}
	}
	return nil
}

func (d *driver) DeleteSnapshot(ctx context.Context, r *csi.DeleteSnapshotRequest) (*csi.DeleteSnapshotResponse, error) {
	if err := d.capabilities.require("snapshots"); err != nil {
		return nil, err
	}
	id := r.GetSnapshotId()
	if id == "" {
		return nil, missing("snapshot id")
	}
	unlock, err := d.store.Lock(id)
	if err != nil {
		return nil, err
	}
	defer unlock()
	s, err := d.store.Snapshot(id)
	if errors.Is(err, fs.ErrNotExist) {
		return &csi.DeleteSnapshotResponse{}, nil
	}
	if err != nil {
		return nil, err
	}
	if s.Group != "" {
		return nil, status.Errorf(codes.InvalidArgument, "snapshot %s is part of group snapshot %s and goes with it: delete the group snapshot", id, s.Group)
	}
	if leaked, err := d.faultyDelete(ctx, s.Delete, s.DeleteMessage, "delete snapshot "+id); leaked || err != nil {
		return &csi.DeleteSnapshotResponse{}, err
	}
	return &csi.DeleteSnapshotResponse{}, d.store.RemoveSnapshot(id)
}

func answerSnapshot(s *store.Snapshot) *csi.Snapshot {
	answer := &csi.Snapshot{
		SnapshotId:      s.ID,
		SourceVolumeId:  s.Volume,
		SizeBytes:       s.Size,
		CreationTime:    timestamppb.New(s.Created),
		ReadyToUse:      !s.NotReady,
		GroupSnapshotId: s.Group,
	}
	if s.SizeZero {
		answer.SizeBytes = 0
	}
	return answer
}
