package main

import (
	"context"
	"os"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"snapready/ci/cluster/driver/store"
)

const (
	mebibyte    = int64(1) << 20
	defaultSize = 1024 * mebibyte
	maximumSize = mebibyte << 20 // 1 TiB
)

// An ext4 with a journal of its own needs a little room.
func minimumSize(mode store.Mode) int64 {
	if mode == store.Block {
		return mebibyte
	}
	return 4 * mebibyte
}

// sizeFor is the capacity for a request, in whole MiB and not below least.
func sizeFor(asked *csi.CapacityRange, mode store.Mode, least int64) (int64, error) {
	required, limit := asked.GetRequiredBytes(), asked.GetLimitBytes()
	if required < 0 || limit < 0 || limit > 0 && required > limit {
		return 0, status.Errorf(codes.InvalidArgument, "the capacity range is from %d to %d bytes, which no volume can have", required, limit)
	}
	size := required
	if size == 0 {
		size = defaultSize
		if limit > 0 {
			size = min(size, limit/mebibyte*mebibyte)
		}
	}
	size = max(size, least, minimumSize(mode))
	if size > maximumSize {
		return 0, status.Errorf(codes.OutOfRange, "a volume has at most %d bytes, and %d are asked for", maximumSize, size)
	}
	size = (size + mebibyte - 1) / mebibyte * mebibyte
	return size, withinLimit(size, limit)
}

func withinLimit(size, limit int64) error {
	if limit > 0 && size > limit {
		return status.Errorf(codes.OutOfRange, "the volume needs %d bytes (sizes are whole MiB), and the limit is %d", size, limit)
	}
	return nil
}

func (d *driver) GetCapacity(context.Context, *csi.GetCapacityRequest) (*csi.GetCapacityResponse, error) {
	free, err := d.room()
	return &csi.GetCapacityResponse{
		AvailableCapacity: max(free, 0),
		MaximumVolumeSize: wrapperspb.Int64(maximumSize),
		MinimumVolumeSize: wrapperspb.Int64(minimumSize(store.Block)),
	}, err
}

// room is what --capacity leaves, counted in promised bytes: images are sparse.
func (d *driver) room() (int64, error) {
	if d.capacity == 0 {
		if err := os.MkdirAll(d.store.Dir, 0o750); err != nil {
			return 0, err
		}
		var stat unix.Statfs_t
		if err := unix.Statfs(d.store.Dir, &stat); err != nil {
			return 0, err
		}
		return int64(stat.Bavail) * stat.Bsize, nil
	}
	volumes, err := d.store.Volumes()
	free := d.capacity
	for _, v := range volumes {
		free -= v.Capacity
	}
	return free, err
}

func (d *driver) expectRoom(size int64) error {
	if d.capacity == 0 {
		return nil
	}
	free, err := d.room()
	if err == nil && size > free {
		err = status.Errorf(codes.ResourceExhausted, "%d bytes are asked for, and the storage has %d left of its %d", size, max(free, 0), d.capacity)
	}
	return err
}
