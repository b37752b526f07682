package main

import (
	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

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
