package main

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"snapready/ci/cluster/driver/disk"
	"snapready/ci/cluster/driver/store"
)

func (d *driver) NodeStageVolume(ctx context.Context, r *csi.NodeStageVolumeRequest) (*csi.NodeStageVolumeResponse, error) {
	staging := r.GetStagingTargetPath()
	switch {
	case r.GetVolumeId() == "":
		return nil, missing("volume id")
	case staging == "":
		return nil, missing("staging target path")
	case r.GetVolumeCapability() == nil:
		return nil, missing("volume capability")
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
	image := d.store.VolumeImage(v.ID)
	devices, err := disk.Devices(image)
	if err != nil {
		return nil, err
	}
	access := accessOf(r.GetVolumeCapability())
	if err := d.claim(v, access, len(devices) > 0); err != nil {
		return nil, err
	}
	if mode == store.Block {
		return &csi.NodeStageVolumeResponse{}, attachBlock(image, devices, access)
	}
	return &csi.NodeStageVolumeResponse{}, mountImage(ctx, image, devices, staging, access, r.GetVolumeCapability().GetMount().GetMountFlags())
}

// claim records that this node uses the volume, unless another one excludes
// it. A node that left no loop device behind has been restarted and lost it.
func (d *driver) claim(v *store.Volume, access store.Access, inUse bool) error {
	if v.Node != "" && v.Node != d.node {
		return status.Errorf(codes.FailedPrecondition, "volume %s is on node %s and cannot be reached from node %s", v.ID, v.Node, d.node)
	}
	claims := map[string]store.Access{}
	if inUse {
		maps.Copy(claims, v.Staged)
	}
	for node, theirs := range claims {
		if node != d.node && (theirs == store.Writer || access == store.Writer) {
			return status.Errorf(codes.FailedPrecondition, "volume %s is staged on node %s as %s, so node %s cannot have it as %s: stop the pods that use it on node %s",
				v.ID, node, theirs, d.node, access, node)
		}
	}
	claims[d.node] = access
	v.Staged = claims
	return d.store.SaveVolume(v)
}

func stagedOn(v *store.Volume) string {
	return strings.Join(slices.Sorted(maps.Keys(v.Staged)), ", ")
}

func attachBlock(image string, devices []string, access store.Access) error {
	if len(devices) > 0 {
		return nil
	}
	device, err := disk.Attach(image, access == store.Reader, false)
	if err != nil {
		return err
	}
	return device.Close()
}

func mountImage(ctx context.Context, image string, devices []string, staging string, access store.Access, options []string) error {
	mounted, err := disk.MountAt(staging)
	if err != nil {
		return err
	}
	if mounted != nil {
		if slices.Contains(devices, mounted.Source) {
			return nil
		}
		return status.Errorf(codes.FailedPrecondition, "staging path %s is taken by a mount of %s: unmount it", staging, mounted.Source)
	}
	if err := os.MkdirAll(staging, 0o750); err != nil {
		return err
	}
	if access == store.Reader {
		options = append(slices.Clone(options), "ro")
	}
	if len(devices) > 0 {
		// Two devices of one image would have two caches of its blocks.
		return disk.MountExt4(devices[0], staging, options)
	}
	if err := disk.Prepare(ctx, image, access == store.Reader); err != nil {
		return err
	}
	device, err := disk.Attach(image, access == store.Reader, true)
	if err != nil {
		return err
	}
	defer device.Close()
	return disk.MountExt4(device.Name(), staging, options)
}

func (d *driver) NodeUnstageVolume(ctx context.Context, r *csi.NodeUnstageVolumeRequest) (*csi.NodeUnstageVolumeResponse, error) {
	if r.GetVolumeId() == "" {
		return nil, missing("volume id")
	}
	if r.GetStagingTargetPath() == "" {
		return nil, missing("staging target path")
	}
	unlock, err := d.store.Lock(r.GetVolumeId())
	if err != nil {
		return nil, err
	}
	defer unlock()
	// The record may be gone, and the mount has to go all the same.
	v, err := d.store.Volume(r.GetVolumeId())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := disk.Unmount(r.GetStagingTargetPath()); err != nil {
		return nil, err
	}
	if v != nil {
		delete(v.Staged, d.node)
	}
	if v == nil || len(v.Staged) == 0 {
		if err := detachAll(ctx, d.store.VolumeImage(r.GetVolumeId())); err != nil {
			return nil, err
		}
	}
	if v == nil {
		return &csi.NodeUnstageVolumeResponse{}, nil
	}
	return &csi.NodeUnstageVolumeResponse{}, d.store.SaveVolume(v)
}

func detachAll(ctx context.Context, image string) error {
	devices, err := disk.Devices(image)
	if err != nil {
		return err
	}
	for _, device := range devices {
		if err := disk.Detach(device); err != nil {
			return err
		}
	}
	return disk.AwaitDetached(ctx, image)
}
