package main

import (
	"context"
	"errors"
	"io/fs"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"k8s.io/klog/v2"

	"snapready/ci/cluster/driver/disk"
	"snapready/ci/cluster/driver/fault"
	"snapready/ci/cluster/driver/store"
)

// driver serves CSI. It holds settings only: all state is in the store, the
// kernel's mounts and the kernel's loop devices.
type driver struct {
	csi.UnimplementedIdentityServer
	csi.UnimplementedControllerServer
	csi.UnimplementedGroupControllerServer
	csi.UnimplementedNodeServer

	name         string
	node         string
	capabilities capabilities
	byNode       bool  // --topology node
	capacity     int64 // 0: what the filesystem below the data directory has
	store        store.Store
}

func (d *driver) volume(id string) (*store.Volume, error) {
	v, err := d.store.Volume(id)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, status.Errorf(codes.NotFound, "volume %s does not exist", id)
	}
	return v, err
}

func (d *driver) snapshot(id string) (*store.Snapshot, error) {
	s, err := d.store.Snapshot(id)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, status.Errorf(codes.NotFound, "snapshot %s does not exist", id)
	}
	return s, err
}

// act lets the fault have its way before the operation on id does its work.
func (d *driver) act(ctx context.Context, f fault.Fault, operation, id string) error {
	if f.Kind != fault.Slow {
		return f.Act(ctx, operation, noTime)
	}
	asked, err := d.store.FirstAsked(id)
	if err != nil {
		return err
	}
	return f.Act(ctx, operation, asked)
}

// answer gives errors the code that tells the caller what to do about them,
// and logs them.
func answer(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	response, err := handle(ctx, request)
	if err != nil {
		err = status.Error(codeOf(err), messageOf(err))
		klog.ErrorS(err, "Call failed", "method", info.FullMethod, "object", objectOf(request))
		return nil, err
	}
	klog.V(2).InfoS("Call done", "method", info.FullMethod, "object", objectOf(request))
	return response, nil
}

func codeOf(err error) codes.Code {
	for _, known := range []struct {
		is   error
		code codes.Code
	}{
		{store.ErrBusy, codes.Aborted},
		{disk.ErrRestless, codes.Aborted},
		{disk.ErrForeign, codes.FailedPrecondition},
		{disk.ErrOnlineGrowth, codes.FailedPrecondition},
		{fault.ErrNothingToDamage, codes.FailedPrecondition},
		{context.DeadlineExceeded, codes.DeadlineExceeded},
		{context.Canceled, codes.Canceled},
		{unix.ENOSPC, codes.ResourceExhausted},
	} {
		if errors.Is(err, known.is) {
			return known.code
		}
	}
	if s, is := status.FromError(err); is {
		return s.Code()
	}
	return codes.Internal
}

func messageOf(err error) string {
	// The text of a status error repeats its code; its message does not.
	if s, is := status.FromError(err); is {
		return s.Message()
	}
	return err.Error()
}

// objectOf names what a request is about; secrets never get into the log.
func objectOf(request any) string {
	switch r := request.(type) {
	case interface{ GetVolumeId() string }:
		return r.GetVolumeId()
	case interface{ GetSnapshotId() string }:
		return r.GetSnapshotId()
	case interface{ GetGroupSnapshotId() string }:
		return r.GetGroupSnapshotId()
	case interface{ GetName() string }:
		return r.GetName()
	}
	return ""
}

func missing(field string) error {
	return status.Errorf(codes.InvalidArgument, "the request has no %s", field)
}
