package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"snapready/ci/cluster/driver/disk"
	"snapready/ci/cluster/driver/store"
)

func (d *driver) NodePublishVolume(_ context.Context, r *csi.NodePublishVolumeRequest) (*csi.NodePublishVolumeResponse, error) {
	switch {
	case r.GetVolumeId() == "":
		return nil, missing("volume id")
	case r.GetTargetPath() == "":
		return nil, missing("target path")
	case r.GetVolumeCapability() == nil:
		return nil, missing("volume capability")
	case r.GetStagingTargetPath() == "":
		return nil, missing("staging target path")
	}
	mode, err := d.modeOf(r.GetVolumeCapability())
	if err != nil {
		return nil, err
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
	if mode != v.Mode {
		return nil, status.Errorf(codes.InvalidArgument, "volume %s has the volume mode %s and is asked for as %s", v.ID, v.Mode, mode)
	}
	readOnly := r.GetReadonly() || accessOf(r.GetVolumeCapability()) == store.Reader
	published, err := disk.MountAt(r.GetTargetPath())
	if err != nil {
		return nil, err
	}
	if published != nil {
		if published.ReadOnly != readOnly {
			return nil, status.Errorf(codes.AlreadyExists, "volume %s is already published at %s with read-only=%t", v.ID, r.GetTargetPath(), published.ReadOnly)
		}
		return &csi.NodePublishVolumeResponse{}, nil
	}
	if mode == store.Block {
		return &csi.NodePublishVolumeResponse{}, d.publishBlock(v, r.GetTargetPath(), readOnly)
	}
	return &csi.NodePublishVolumeResponse{}, publishFilesystem(v, r.GetStagingTargetPath(), r.GetTargetPath(), readOnly)
}

func publishFilesystem(v *store.Volume, staging, target string, readOnly bool) error {
	staged, err := disk.MountAt(staging)
	if err != nil {
		return err
	}
	if staged == nil {
		return status.Errorf(codes.FailedPrecondition, "volume %s is not staged at %s", v.ID, staging)
	}
	if err := os.MkdirAll(target, 0o750); err != nil {
		return err
	}
	return disk.Bind(staging, target, readOnly)
}

func (d *driver) publishBlock(v *store.Volume, target string, readOnly bool) error {
	devices, err := disk.Devices(d.store.VolumeImage(v.ID))
	if err != nil {
		return err
	}
	if len(devices) == 0 {
		return status.Errorf(codes.FailedPrecondition, "volume %s is not staged: no loop device has its image", v.ID)
	}
	if err := setReadOnly(devices[0], v.Staged[d.node], readOnly); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o750); err != nil {
		return err
	}
	f, err := os.OpenFile(target, os.O_CREATE|os.O_RDONLY, 0o640)
	if err != nil {
		return err
	}
	f.Close()
	return disk.Bind(devices[0], target, readOnly)
}

// setReadOnly makes the device itself refuse writers, for a read-only mount of
// a device node does not. All targets share the device, so the first decides,
// and a later writer is let in.
func setReadOnly(device string, staged store.Access, readOnly bool) error {
	if staged == store.Reader {
		return nil // attached read-only
	}
	if readOnly {
		mounts, err := disk.Mounts()
		if err != nil {
			return err
		}
		for _, m := range mounts {
			if m.FSType == "devtmpfs" && m.Root == "/"+filepath.Base(device) {
				return nil
			}
		}
	}
	return disk.SetReadOnly(device, readOnly)
}

func (d *driver) NodeUnpublishVolume(_ context.Context, r *csi.NodeUnpublishVolumeRequest) (*csi.NodeUnpublishVolumeResponse, error) {
	if r.GetVolumeId() == "" {
		return nil, missing("volume id")
	}
	if r.GetTargetPath() == "" {
		return nil, missing("target path")
	}
	unlock, err := d.store.Lock(r.GetVolumeId())
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := disk.Unmount(r.GetTargetPath()); err != nil {
		return nil, err
	}
	if err := os.Remove(r.GetTargetPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return &csi.NodeUnpublishVolumeResponse{}, nil
}
