package main

import (
	"context"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"snapready/ci/cluster/driver/disk"
	"snapready/ci/cluster/driver/store"
)

func (d *driver) NodeGetVolumeStats(_ context.Context, r *csi.NodeGetVolumeStatsRequest) (*csi.NodeGetVolumeStatsResponse, error) {
	v, mounted, err := d.published(r.GetVolumeId(), r.GetVolumePath())
	if err != nil {
		return nil, err
	}
	if mounted == nil {
		return nil, status.Errorf(codes.NotFound, "volume %s is not at %s", v.ID, r.GetVolumePath())
	}
	if v.Mode == store.Block {
		size, err := disk.Size(r.GetVolumePath())
		return &csi.NodeGetVolumeStatsResponse{Usage: []*csi.VolumeUsage{{Unit: csi.VolumeUsage_BYTES, Total: size}}}, err
	}
	var stat unix.Statfs_t
	if err := unix.Statfs(r.GetVolumePath(), &stat); err != nil {
		return nil, err
	}
	return &csi.NodeGetVolumeStatsResponse{Usage: []*csi.VolumeUsage{
		{
			Unit:      csi.VolumeUsage_BYTES,
			Total:     int64(stat.Blocks) * stat.Bsize,
			Used:      int64(stat.Blocks-stat.Bfree) * stat.Bsize,
			Available: int64(stat.Bavail) * stat.Bsize,
		},
		{
			Unit:      csi.VolumeUsage_INODES,
			Total:     int64(stat.Files),
			Used:      int64(stat.Files - stat.Ffree),
			Available: int64(stat.Ffree),
		},
	}}, nil
}

func (d *driver) NodeExpandVolume(_ context.Context, r *csi.NodeExpandVolumeRequest) (*csi.NodeExpandVolumeResponse, error) {
	if err := d.capabilities.require("expand"); err != nil {
		return nil, err
	}
	if r.GetVolumeId() == "" {
		return nil, missing("volume id")
	}
	unlock, err := d.store.Lock(r.GetVolumeId())
	if err != nil {
		return nil, err
	}
	defer unlock()
	v, mounted, err := d.published(r.GetVolumeId(), r.GetVolumePath())
	if err != nil {
		return nil, err
	}
	if v.Mode == store.Filesystem && mounted == nil {
		return nil, status.Errorf(codes.NotFound, "volume %s is not mounted at %s", v.ID, r.GetVolumePath())
	}
	devices, err := disk.Devices(d.store.VolumeImage(v.ID))
	if err != nil {
		return nil, err
	}
	for _, device := range devices {
		if err := disk.Refresh(device); err != nil {
			return nil, err
		}
	}
	if v.Mode == store.Filesystem {
		err = disk.GrowExt4(mounted.Source, r.GetVolumePath())
	}
	return &csi.NodeExpandVolumeResponse{CapacityBytes: v.Capacity}, err
}

// published finds the volume and what is mounted at the path, which may be nothing.
func (d *driver) published(id, path string) (*store.Volume, *disk.Mount, error) {
	if id == "" {
		return nil, nil, missing("volume id")
	}
	if path == "" {
		return nil, nil, missing("volume path")
	}
	v, err := d.volume(id)
	if err != nil {
		return nil, nil, err
	}
	mounted, err := disk.MountAt(path)
	return v, mounted, err
}
