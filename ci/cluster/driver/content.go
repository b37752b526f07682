package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"snapready/ci/cluster/driver/disk"
	"snapready/ci/cluster/driver/fault"
	"snapready/ci/cluster/driver/store"
)

// provision makes a blank image; an ext4 is made when it is first staged.
func (d *driver) provision(ctx context.Context, v *store.Volume, r *csi.CreateVolumeRequest, f fault.Fault) error {
	if err := d.act(ctx, f, "create volume "+v.Name, v.ID); err != nil {
		return err
	}
	return d.fill(v, r, 0, "", func(path string) error { return blank(path, v.Capacity) })
}

func (d *driver) clone(ctx context.Context, v *store.Volume, r *csi.CreateVolumeRequest) error {
	if !d.capabilities["clone"] {
		return status.Error(codes.InvalidArgument, "this driver does not clone volumes")
	}
	unlock, err := d.store.LockShared(v.FromVolume)
	if err != nil {
		return err
	}
	defer unlock()
	source, err := d.volume(v.FromVolume)
	if err != nil {
		return err
	}
	v.Origin = source.Origin
	return d.fill(v, r, source.Capacity, source.Node, func(path string) error {
		return cut(ctx, d.store.VolumeImage(source.ID), path)
	})
}

func (d *driver) restore(ctx context.Context, v *store.Volume, r *csi.CreateVolumeRequest, f fault.Fault) error {
	if !d.capabilities["snapshots"] && !d.capabilities["group-snapshots"] {
		return status.Error(codes.InvalidArgument, "this driver has no snapshots")
	}
	if err := d.act(ctx, f, fmt.Sprintf("create volume %s from snapshot %s", v.Name, v.FromSnapshot), v.ID); err != nil {
		return err
	}
	unlock, err := d.store.LockShared(v.FromSnapshot)
	if err != nil {
		return err
	}
	defer unlock()
	snapshot, err := d.snapshot(v.FromSnapshot)
	if err != nil {
		return err
	}
	if snapshot.NotReady {
		return status.Errorf(codes.FailedPrecondition, "snapshot %s is not ready to use", snapshot.ID)
	}
	return d.fill(v, r, snapshot.Size, snapshot.Node, func(path string) error {
		return d.restoreImage(ctx, path, v, snapshot, f)
	})
}

// fill makes the volume's image, no smaller than its content.
func (d *driver) fill(v *store.Volume, r *csi.CreateVolumeRequest, least int64, sourceNode string, make func(path string) error) error {
	if asked := r.GetCapacityRange().GetRequiredBytes(); asked > 0 && asked < least {
		return status.Errorf(codes.OutOfRange, "volume %s is asked to have %d bytes, and its source %s%s has %d", v.Name, asked, v.FromSnapshot, v.FromVolume, least)
	}
	var err error
	if v.Node, err = d.chooseNode(r.GetAccessibilityRequirements(), sourceNode); err != nil {
		return err
	}
	if v.Capacity, err = sizeFor(r.GetCapacityRange(), v.Mode, least); err != nil {
		return err
	}
	if err := d.expectRoom(v.Capacity); err != nil {
		return err
	}
	return d.store.NewVolumeImage(v.ID, func(path string) error {
		if err := make(path); err != nil {
			return err
		}
		if err := disk.Grow(path, v.Capacity); err != nil {
			return err
		}
		// The content of a wrong restore may be larger than what was asked for.
		if v.Capacity, err = disk.Size(path); err != nil {
			return err
		}
		return withinLimit(v.Capacity, r.GetCapacityRange().GetLimitBytes())
	})
}

// restoreImage writes at path what the snapshot holds, or what the fault makes
// of it. It sets the volume's origin to that of the content.
func (d *driver) restoreImage(ctx context.Context, path string, v *store.Volume, snapshot *store.Snapshot, f fault.Fault) error {
	v.Origin = snapshot.Origin
	switch f.Kind {
	case fault.Empty:
		v.Origin = ""
		if err := blank(path, v.Capacity); err != nil || v.Mode == store.Block {
			return err
		}
		return disk.Format(ctx, path)
	case fault.Stale:
		source, err := d.store.Volume(snapshot.Volume)
		if err != nil {
			return status.Errorf(codes.FailedPrecondition, "class parameter %s needs the source volume %s of snapshot %s: %v", f.Text, snapshot.Volume, snapshot.ID, err)
		}
		return cut(ctx, d.store.VolumeImage(source.ID), path)
	case fault.OtherVolume:
		return d.restoreOther(ctx, path, v, snapshot)
	case fault.OldSnapshot:
		return d.restoreOlder(path, v, snapshot, f)
	}
	if err := disk.Copy(d.store.SnapshotImage(snapshot.ID), path); err != nil {
		return err
	}
	if snapshot.Mode == store.Block {
		return damageBlocks(path, f.Kind)
	}
	return damageFiles(ctx, path, f.Kind)
}

func (d *driver) restoreOther(ctx context.Context, path string, v *store.Volume, snapshot *store.Snapshot) error {
	all, err := d.store.Volumes()
	if err != nil {
		return err
	}
	for _, other := range fault.OtherVolumes(all, snapshot) {
		image := d.store.VolumeImage(other.ID)
		// One that was never written would pass for an empty restore.
		if blank, err := disk.IsBlank(image); err != nil || blank {
			continue
		}
		v.Origin = other.Origin
		return cut(ctx, image, path)
	}
	v.Origin = ""
	return decoy(ctx, path, v.Capacity, snapshot.Mode)
}

func (d *driver) restoreOlder(path string, v *store.Volume, snapshot *store.Snapshot, f fault.Fault) error {
	all, err := d.store.Snapshots()
	if err != nil {
		return err
	}
	for _, older := range fault.OlderSnapshots(all, snapshot) {
		image := d.store.SnapshotImage(older.ID)
		if same, err := disk.Same(image, d.store.SnapshotImage(snapshot.ID)); err != nil || same {
			continue
		}
		v.Origin = older.Origin
		return disk.Copy(image, path)
	}
	return status.Errorf(codes.FailedPrecondition, "class parameter %s needs a snapshot that is older than %s and differs from it: cut one, write, and cut again", f.Text, snapshot.ID)
}

func damageBlocks(path string, kind fault.Kind) error {
	damage, wanted := map[fault.Kind]func(fault.Device, int64) error{
		fault.Truncated: fault.CutBlocks, fault.BitFlip: fault.FlipBlocks, fault.ZerosAtEnd: fault.ZeroBlocks,
	}[kind]
	if !wanted {
		return nil
	}
	size, err := disk.Size(path)
	if err != nil {
		return err
	}
	image, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer image.Close()
	return damage(image, size)
}

func damageFiles(ctx context.Context, path string, kind fault.Kind) error {
	damage, wanted := map[fault.Kind]func(*os.Root) error{
		fault.Truncated: fault.CutFiles, fault.BitFlip: fault.FlipFile, fault.ZerosAtEnd: fault.ZeroFileEnd,
	}[kind]
	if !wanted {
		return nil
	}
	if formatted, err := disk.HasExt4(path); err != nil || !formatted {
		return fmt.Errorf("the snapshot has no ext4, the volume was never used: %w", fault.ErrNothingToDamage)
	}
	return disk.InsideExt4(ctx, path, damage)
}

// decoy stands in for the volume of a stranger when there is none.
func decoy(ctx context.Context, path string, size int64, mode store.Mode) error {
	const text = "This volume belongs to somebody else.\n"
	if err := blank(path, size); err != nil {
		return err
	}
	if mode == store.Block {
		image, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		defer image.Close()
		_, err = image.WriteAt([]byte(strings.Repeat(text, int(mebibyte)/len(text))), 0)
		return err
	}
	if err := disk.Format(ctx, path); err != nil {
		return err
	}
	return disk.InsideExt4(ctx, path, func(root *os.Root) error {
		for _, name := range []string{"README", "ledger.csv", "photo.raw"} {
			if err := root.WriteFile(name, []byte(strings.Repeat(text, 100)), 0o644); err != nil {
				return err
			}
		}
		return nil
	})
}

func blank(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Truncate(size)
}

func cut(ctx context.Context, source, target string) error {
	return disk.Cut(ctx, []string{source}, []string{target})
}
