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

func (d *driver) NodePublishVolume(ctx context.Context, r *csi.NodePublishVolumeRequest) (*csi.NodePublishVolumeResponse, error) {
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
		return &csi.NodePublishVolumeResponse{}, d.publishBlock(ctx, v, r.GetTargetPath(), readOnly)
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

func (d *driver) publishBlock(ctx context.Context, v *store.Volume, target string, readOnly bool) error {
	image := d.store.VolumeImage(v.ID)
	devices, err := disk.Devices(image)
	if err != nil {
		return err
	}
	if len(devices) == 0 {
		return status.Errorf(codes.FailedPrecondition, "volume %s is not staged: no loop device has its image", v.ID)
	}
	device, err := deviceFor(ctx, image, devices[0], readOnly)
	if err != nil {
		return err
	}
	if v.RootOnly {
		if err := disk.KeepForRoot(device); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o750); err != nil {
		return err
	}
	f, err := os.OpenFile(target, os.O_CREATE|os.O_RDONLY, 0o640)
	if err != nil {
		return err
	}
	f.Close()
	return disk.Bind(device, target, readOnly)
}

// deviceFor gives the volume's device, attached anew if it is not the one to
// refuse, or to let in, writers: a read-only mount of a device node does not
// stop them, and BLKROSET would outlive the volume on the device's number.
func deviceFor(ctx context.Context, image, device string, readOnly bool) (string, error) {
	is, err := disk.IsReadOnly(device)
	if err != nil || is == readOnly {
		return device, err
	}
	mounts, err := disk.Mounts()
	if err != nil {
		return "", err
	}
	for _, m := range mounts {
		if m.FSType != "devtmpfs" || m.Root != "/"+filepath.Base(device) {
			continue
		}
		if readOnly {
			return device, nil // its writer keeps it
		}
		return "", status.Errorf(codes.FailedPrecondition, "%s is published read-only at %s: unpublish it there first", image, m.Point)
	}
	if err := detachAll(ctx, image); err != nil {
		return "", err
	}
	anew, err := disk.Attach(image, readOnly, false)
	if err != nil {
		return "", err
	}
	return anew.Name(), anew.Close()
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
