package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"snapready/ci/cluster/driver/disk"
	"snapready/ci/cluster/driver/store"
)

// These tests call the controller on Block volumes, whose images are files that
// a test writes as a node would: no root is needed.

func testDriver(t *testing.T, change ...func(*settings)) *driver {
	t.Helper()
	s := settings{name: "csi.snapready.test", node: "node-1", mode: "all", data: t.TempDir(), capabilities: allCapabilities, topology: "none"}
	for _, c := range change {
		c(&s)
	}
	d, err := newDriver(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func capability(mode store.Mode, access csi.VolumeCapability_AccessMode_Mode) *csi.VolumeCapability {
	c := &csi.VolumeCapability{AccessMode: &csi.VolumeCapability_AccessMode{Mode: access}}
	if mode == store.Block {
		c.AccessType = &csi.VolumeCapability_Block{Block: &csi.VolumeCapability_BlockVolume{}}
	} else {
		c.AccessType = &csi.VolumeCapability_Mount{Mount: &csi.VolumeCapability_MountVolume{}}
	}
	return c
}

const (
	writer  = csi.VolumeCapability_AccessMode_SINGLE_NODE_WRITER
	readers = csi.VolumeCapability_AccessMode_MULTI_NODE_READER_ONLY
)

func volumeRequest(name string, mode store.Mode, parameters map[string]string) *csi.CreateVolumeRequest {
	return &csi.CreateVolumeRequest{
		Name: name, Parameters: parameters,
		CapacityRange:      &csi.CapacityRange{RequiredBytes: 8 * mebibyte},
		VolumeCapabilities: []*csi.VolumeCapability{capability(mode, writer)},
	}
}

func fromSnapshot(r *csi.CreateVolumeRequest, id string) *csi.CreateVolumeRequest {
	r.VolumeContentSource = &csi.VolumeContentSource{Type: &csi.VolumeContentSource_Snapshot{
		Snapshot: &csi.VolumeContentSource_SnapshotSource{SnapshotId: id}}}
	return r
}

func fromVolume(r *csi.CreateVolumeRequest, id string) *csi.CreateVolumeRequest {
	r.VolumeContentSource = &csi.VolumeContentSource{Type: &csi.VolumeContentSource_Volume{
		Volume: &csi.VolumeContentSource_VolumeSource{VolumeId: id}}}
	return r
}

func (d *driver) mustCreate(t *testing.T, r *csi.CreateVolumeRequest) *csi.Volume {
	t.Helper()
	response, err := d.CreateVolume(t.Context(), r)
	if err != nil {
		t.Fatalf("create volume %s: %v", r.GetName(), err)
	}
	return response.GetVolume()
}

func (d *driver) mustSnapshot(t *testing.T, name, volume string, parameters map[string]string) *csi.Snapshot {
	t.Helper()
	response, err := d.CreateSnapshot(t.Context(), &csi.CreateSnapshotRequest{Name: name, SourceVolumeId: volume, Parameters: parameters})
	if err != nil {
		t.Fatalf("create snapshot %s: %v", name, err)
	}
	return response.GetSnapshot()
}

func (d *driver) write(t *testing.T, volume string, at int64, text string) {
	t.Helper()
	f, err := os.OpenFile(d.store.VolumeImage(volume), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte(text), at); err != nil {
		t.Fatal(err)
	}
}

func (d *driver) read(t *testing.T, volume string, at int64, length int) string {
	t.Helper()
	all, err := os.ReadFile(d.store.VolumeImage(volume))
	if err != nil {
		t.Fatal(err)
	}
	return string(all[at : at+int64(length)])
}

func expectCode(t *testing.T, what string, err error, code codes.Code, words ...string) {
	t.Helper()
	if codeOf(err) != code {
		t.Errorf("%s: %v, want %s", what, err, code)
		return
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%s: the message does not have %q: %v", what, word, err)
		}
	}
}

func TestCreateVolumeIsIdempotent(t *testing.T) {
	d := testDriver(t)
	first := d.mustCreate(t, volumeRequest("a", store.Block, nil))
	d.write(t, first.VolumeId, 0, "kept")
	if again := d.mustCreate(t, volumeRequest("a", store.Block, nil)); again.VolumeId != first.VolumeId {
		t.Errorf("second id %s, first %s", again.VolumeId, first.VolumeId)
	}
	if got := d.read(t, first.VolumeId, 0, 4); got != "kept" {
		t.Errorf("the second request changed the data to %q", got)
	}
	_, err := d.CreateVolume(t.Context(), volumeRequest("a", store.Filesystem, nil))
	expectCode(t, "other mode", err, codes.AlreadyExists, "volume mode")
	larger := volumeRequest("a", store.Block, nil)
	larger.CapacityRange.RequiredBytes *= 2
	_, err = d.CreateVolume(t.Context(), larger)
	expectCode(t, "other size", err, codes.AlreadyExists, "capacity")
	_, err = d.CreateVolume(t.Context(), fromVolume(volumeRequest("a", store.Block, nil), first.VolumeId))
	expectCode(t, "other source", err, codes.AlreadyExists, "content source")
}

func TestCreateVolumeRefuses(t *testing.T) {
	d := testDriver(t, func(s *settings) { s.capabilities = "snapshots"; s.capacity = 10 * mebibyte })
	_, err := d.CreateVolume(t.Context(), volumeRequest("b", store.Block, nil))
	expectCode(t, "Block without the capability", err, codes.InvalidArgument, "Block")
	_, err = d.CreateVolume(t.Context(), fromVolume(volumeRequest("c", store.Filesystem, nil), "vol-a"))
	expectCode(t, "clone without the capability", err, codes.InvalidArgument, "clone")
	xfs := volumeRequest("x", store.Filesystem, nil)
	xfs.VolumeCapabilities[0].GetMount().FsType = "xfs"
	_, err = d.CreateVolume(t.Context(), xfs)
	expectCode(t, "xfs", err, codes.InvalidArgument, "xfs", "ext4")
	_, err = d.CreateVolume(t.Context(), volumeRequest("p", store.Filesystem, map[string]string{"restor": "ok"}))
	expectCode(t, "unknown parameter", err, codes.InvalidArgument, "restor", "restore")
	shared := volumeRequest("s", store.Filesystem, nil)
	shared.VolumeCapabilities[0].AccessMode.Mode = csi.VolumeCapability_AccessMode_MULTI_NODE_MULTI_WRITER
	_, err = d.CreateVolume(t.Context(), shared)
	expectCode(t, "many writers", err, codes.InvalidArgument, "MULTI_NODE_MULTI_WRITER")
	_, err = d.CreateVolume(t.Context(), fromSnapshot(volumeRequest("r", store.Filesystem, nil), "snap-none"))
	expectCode(t, "no such snapshot", err, codes.NotFound, "snap-none")
	d.mustCreate(t, volumeRequest("fits", store.Filesystem, nil))
	_, err = d.CreateVolume(t.Context(), volumeRequest("too-much", store.Filesystem, nil))
	expectCode(t, "beyond --capacity", err, codes.ResourceExhausted)
	if all, _ := d.store.Volumes(); len(all) != 1 {
		t.Errorf("refused volumes exist: %d", len(all))
	}
}

func TestSizes(t *testing.T) {
	for _, c := range []struct {
		required, limit int64
		mode            store.Mode
		least, want     int64
		code            codes.Code
	}{
		{0, 0, store.Block, 0, defaultSize, codes.OK},
		{0, 10 * mebibyte, store.Block, 0, 10 * mebibyte, codes.OK},
		{1, 0, store.Block, 0, mebibyte, codes.OK},
		{1, 0, store.Filesystem, 0, 4 * mebibyte, codes.OK},
		{10_000_000, 0, store.Block, 0, 10 * mebibyte, codes.OK},
		{10_000_000, 10_000_000, store.Block, 0, 0, codes.OutOfRange},
		{1, 2 * mebibyte, store.Filesystem, 0, 0, codes.OutOfRange},
		{maximumSize + 1, 0, store.Block, 0, 0, codes.OutOfRange},
		{5, 4, store.Block, 0, 0, codes.InvalidArgument},
		{0, 0, store.Block, 5 * defaultSize, 5 * defaultSize, codes.OK},
	} {
		got, err := sizeFor(&csi.CapacityRange{RequiredBytes: c.required, LimitBytes: c.limit}, c.mode, c.least)
		if codeOf(err) != c.code || err == nil && got != c.want {
			t.Errorf("%+v: %d, %v", c, got, err)
		}
	}
}

func TestSnapshotKeepsItsMoment(t *testing.T) {
	d := testDriver(t)
	source := d.mustCreate(t, volumeRequest("source", store.Block, nil)).VolumeId
	d.write(t, source, 5000, "then")
	snapshot := d.mustSnapshot(t, "s", source, nil)
	d.write(t, source, 5000, "now!")
	other := d.mustCreate(t, volumeRequest("other", store.Block, nil)).VolumeId
	_, err := d.CreateSnapshot(t.Context(), &csi.CreateSnapshotRequest{Name: "s", SourceVolumeId: other})
	expectCode(t, "same name, other volume", err, codes.AlreadyExists, source)
	if again := d.mustSnapshot(t, "s", source, nil); again.SnapshotId != snapshot.SnapshotId || !again.CreationTime.AsTime().Equal(snapshot.CreationTime.AsTime()) {
		t.Errorf("cut again: %v, first %v", again, snapshot)
	}
	if _, err := d.DeleteVolume(t.Context(), &csi.DeleteVolumeRequest{VolumeId: source}); err != nil {
		t.Fatal(err)
	}
	restored := d.mustCreate(t, fromSnapshot(volumeRequest("restored", store.Block, nil), snapshot.SnapshotId))
	if got := d.read(t, restored.VolumeId, 5000, 4); got != "then" {
		t.Errorf("restored %q", got)
	}
	if restored.GetContentSource().GetSnapshot().GetSnapshotId() != snapshot.SnapshotId {
		t.Errorf("content source = %v", restored.GetContentSource())
	}
	small := fromSnapshot(volumeRequest("small", store.Block, nil), snapshot.SnapshotId)
	small.CapacityRange.RequiredBytes = mebibyte
	_, err = d.CreateVolume(t.Context(), small)
	expectCode(t, "smaller than the snapshot", err, codes.OutOfRange, "snap-s")
}

// scene is a Block volume with two snapshots and later writes.
func scene(t *testing.T) (d *driver, source, snapshot string) {
	d = testDriver(t)
	source = d.mustCreate(t, volumeRequest("source", store.Block, nil)).VolumeId
	d.write(t, source, 0, "first version")
	d.mustSnapshot(t, "older", source, nil)
	time.Sleep(2 * time.Millisecond)
	d.write(t, source, 0, "second version")
	d.write(t, source, 5<<20, "tail of it")
	snapshot = d.mustSnapshot(t, "newer", source, nil).SnapshotId
	d.write(t, source, 0, "third version!")
	// A snapshot of the same data must not pass for an old one.
	copied, err := d.store.Snapshot(snapshot)
	if err != nil {
		t.Fatal(err)
	}
	copied.ID, copied.Created = "snap-same", copied.Created.Add(-time.Millisecond)
	if err := disk.Copy(d.store.SnapshotImage(snapshot), d.store.SnapshotImage(copied.ID)); err != nil {
		t.Fatal(err)
	}
	if err := d.store.SaveSnapshot(copied); err != nil {
		t.Fatal(err)
	}
	// A stranger that was never written must not pass for another volume.
	d.mustCreate(t, volumeRequest("unused", store.Block, nil))
	return d, source, snapshot
}

func TestRestoreFaultsOfBlock(t *testing.T) {
	d, source, snapshot := scene(t)
	whole, err := os.ReadFile(d.store.SnapshotImage(snapshot))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		restore, head, tail string
		differs             bool
	}{
		{"ok", "second version", "tail of it", false},
		{"slow:0", "second version", "tail of it", false},
		{"empty", strings.Repeat("\x00", 14), strings.Repeat("\x00", 10), true},
		{"stale", "third version!", "tail of it", true},
		{"truncated", "second version", strings.Repeat("\x00", 10), true},
		{"bitflip", "second version", "", true},
		{"zeros-at-end", "second version", strings.Repeat("\x00", 10), true},
		{"other-volume", "This volume be", "", true},
		{"old-snapshot", "first version\x00", strings.Repeat("\x00", 10), true},
	} {
		name := "restore-" + strings.ReplaceAll(c.restore, ":", "-")
		v := d.mustCreate(t, fromSnapshot(volumeRequest(name, store.Block, map[string]string{"restore": c.restore}), snapshot))
		if got := d.read(t, v.VolumeId, 0, 14); got != c.head {
			t.Errorf("%s: begins with %q, want %q", c.restore, got, c.head)
		}
		if c.tail != "" {
			if got := d.read(t, v.VolumeId, 5<<20, len(c.tail)); got != c.tail {
				t.Errorf("%s: ends with %q, want %q", c.restore, got, c.tail)
			}
		}
		all, _ := os.ReadFile(d.store.VolumeImage(v.VolumeId))
		if bytes.Equal(all, whole) == c.differs {
			t.Errorf("%s: differs from the snapshot: %t", c.restore, !c.differs)
		}
		if int64(len(all)) != v.CapacityBytes || v.CapacityBytes < 8*mebibyte {
			t.Errorf("%s: image of %d bytes, capacity %d", c.restore, len(all), v.CapacityBytes)
		}
	}
	if got := d.read(t, source, 0, 14); got != "third version!" {
		t.Errorf("the source was changed to %q", got)
	}

	stranger := d.mustCreate(t, volumeRequest("stranger", store.Block, nil)).VolumeId
	d.write(t, stranger, 0, "stranger's own")
	v := d.mustCreate(t, fromSnapshot(volumeRequest("other", store.Block, map[string]string{"restore": "other-volume"}), snapshot))
	if got := d.read(t, v.VolumeId, 0, 14); got != "stranger's own" {
		t.Errorf("other-volume: %q", got)
	}
}

func TestRestoreFaultsThatFail(t *testing.T) {
	d, source, snapshot := scene(t)
	restore := func(ctx context.Context, value string) error {
		_, err := d.CreateVolume(ctx, fromSnapshot(volumeRequest("r-"+strings.ReplaceAll(value, ":", "-"), store.Block, map[string]string{"restore": value}), snapshot))
		return err
	}
	expectCode(t, "error", restore(t.Context(), "error:ResourceExhausted"), codes.ResourceExhausted, "restore=error:ResourceExhausted", snapshot)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	expectCode(t, "hang", restore(ctx, "hang"), codes.DeadlineExceeded, "restore=hang")

	// It applies to restores only.
	d.mustCreate(t, volumeRequest("blank", store.Block, map[string]string{"restore": "error:Internal"}))
	d.mustCreate(t, fromVolume(volumeRequest("clone", store.Block, map[string]string{"restore": "error:Internal"}), source))
	_, err := d.CreateVolume(t.Context(), volumeRequest("p", store.Block, map[string]string{"provision": "error:UNAVAILABLE"}))
	expectCode(t, "provision", err, codes.Unavailable)

	if _, err := d.DeleteVolume(t.Context(), &csi.DeleteVolumeRequest{VolumeId: source}); err != nil {
		t.Fatal(err)
	}
	expectCode(t, "stale without the source", restore(t.Context(), "stale"), codes.FailedPrecondition, source)
	if _, err := d.DeleteSnapshot(t.Context(), &csi.DeleteSnapshotRequest{SnapshotId: "snap-older"}); err != nil {
		t.Fatal(err)
	}
	expectCode(t, "old-snapshot without one", restore(t.Context(), "old-snapshot"), codes.FailedPrecondition, "older")
	all, _ := d.store.Volumes()
	for _, v := range all {
		if strings.HasPrefix(v.ID, "vol-r-") {
			t.Errorf("%s exists after a failed restore", v.ID)
		}
	}
}

func TestSlowRestoreFinishesByRetries(t *testing.T) {
	d, _, snapshot := scene(t)
	request := fromSnapshot(volumeRequest("slow", store.Block, map[string]string{"restore": "slow:1"}), snapshot)
	start := time.Now()
	for {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		_, err := d.CreateVolume(ctx, request)
		cancel()
		if err == nil {
			break
		}
		expectCode(t, "slow", err, codes.DeadlineExceeded)
		if time.Since(start) > 10*time.Second {
			t.Fatal("it never finishes")
		}
	}
	if took := time.Since(start); took < 900*time.Millisecond {
		t.Errorf("it took %v only", took)
	}
}

func TestSnapshotFaults(t *testing.T) {
	d := testDriver(t)
	source := d.mustCreate(t, volumeRequest("source", store.Block, nil)).VolumeId
	never := d.mustSnapshot(t, "never", source, map[string]string{"snapshot": "never-ready"})
	if never.ReadyToUse || d.mustSnapshot(t, "never", source, nil).ReadyToUse {
		t.Error("never-ready is ready")
	}
	_, err := d.CreateVolume(t.Context(), fromSnapshot(volumeRequest("x", store.Block, nil), never.SnapshotId))
	expectCode(t, "restore of one that is not ready", err, codes.FailedPrecondition, "not ready")
	if zero := d.mustSnapshot(t, "zero", source, map[string]string{"snapshot": "size-zero"}); zero.SizeBytes != 0 || !zero.ReadyToUse {
		t.Errorf("size-zero: %v", zero)
	}
	if ok := d.mustSnapshot(t, "ok", source, nil); ok.SizeBytes != 8*mebibyte || !ok.ReadyToUse {
		t.Errorf("ok: %v", ok)
	}
	_, err = d.CreateSnapshot(t.Context(), &csi.CreateSnapshotRequest{Name: "e", SourceVolumeId: source, Parameters: map[string]string{"snapshot": "error:Internal"}})
	expectCode(t, "error", err, codes.Internal, "snapshot=error:Internal")
	_, err = d.CreateSnapshot(t.Context(), &csi.CreateSnapshotRequest{Name: "e", SourceVolumeId: source, Parameters: map[string]string{"snapshot": "leak"}})
	expectCode(t, "unknown value", err, codes.InvalidArgument, "leak", "never-ready")
}

func TestDeleteFaults(t *testing.T) {
	d := testDriver(t)
	source := d.mustCreate(t, volumeRequest("source", store.Block, map[string]string{"delete": "leak"})).VolumeId
	for value, code := range map[string]codes.Code{"leak": codes.OK, "error:Internal": codes.Internal, "hang": codes.DeadlineExceeded} {
		id := d.mustSnapshot(t, value[:4], source, map[string]string{"delete": value}).SnapshotId
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		_, err := d.DeleteSnapshot(ctx, &csi.DeleteSnapshotRequest{SnapshotId: id})
		cancel()
		if codeOf(err) != code {
			t.Errorf("delete=%s: %v", value, err)
		}
		if _, err := os.Stat(d.store.SnapshotImage(id)); err != nil {
			t.Errorf("delete=%s: the data is gone: %v", value, err)
		}
	}
	if _, err := d.DeleteVolume(t.Context(), &csi.DeleteVolumeRequest{VolumeId: source}); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(d.store.VolumeImage(source)); err != nil {
		t.Errorf("leaked volume: %v", err)
	}
	id := d.mustSnapshot(t, "plain", source, nil).SnapshotId
	if _, err := d.DeleteSnapshot(t.Context(), &csi.DeleteSnapshotRequest{SnapshotId: id}); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(d.store.SnapshotImage(id)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("deleted snapshot: %v", err)
	}
}

func TestErrorsSayWhatTheClassSays(t *testing.T) {
	d := testDriver(t)
	source := d.mustCreate(t, volumeRequest("source", store.Block, nil)).VolumeId
	text := "rpc error: code = NotFound desc = {\"pool\":\n\"gone\"}"
	says := func(what string, err error) {
		t.Helper()
		_, err = answer(t.Context(), nil, &grpc.UnaryServerInfo{}, func(context.Context, any) (any, error) { return nil, err })
		if s, _ := status.FromError(err); s.Code() != codes.Internal || s.Message() != text {
			t.Errorf("%s: %v", what, err)
		}
	}
	class := func(parameter string) map[string]string {
		return map[string]string{parameter: "error:Internal", "message": text}
	}
	_, err := d.CreateVolume(t.Context(), volumeRequest("v", store.Block, class("provision")))
	says("provision", err)
	_, err = d.CreateSnapshot(t.Context(), &csi.CreateSnapshotRequest{Name: "s", SourceVolumeId: source, Parameters: class("snapshot")})
	says("snapshot", err)
	snapshot := d.mustSnapshot(t, "kept", source, class("delete")).SnapshotId
	_, err = d.DeleteSnapshot(t.Context(), &csi.DeleteSnapshotRequest{SnapshotId: snapshot})
	says("delete", err)
	_, err = d.CreateVolume(t.Context(), fromSnapshot(volumeRequest("r", store.Block, class("restore")), snapshot))
	says("restore", err)
	kept := d.mustCreate(t, volumeRequest("kept", store.Block, class("delete"))).VolumeId
	_, err = d.DeleteVolume(t.Context(), &csi.DeleteVolumeRequest{VolumeId: kept})
	says("delete a volume", err)
}

func TestGroupSnapshot(t *testing.T) {
	d := testDriver(t)
	var sources []string
	for _, name := range []string{"a", "b"} {
		id := d.mustCreate(t, volumeRequest(name, store.Block, nil)).VolumeId
		d.write(t, id, 0, name)
		sources = append(sources, id)
	}
	request := &csi.CreateVolumeGroupSnapshotRequest{Name: "g", SourceVolumeIds: sources}
	response, err := d.CreateVolumeGroupSnapshot(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	group := response.GetGroupSnapshot()
	if len(group.Snapshots) != 2 || !group.ReadyToUse {
		t.Fatalf("group = %v", group)
	}
	if again, err := d.CreateVolumeGroupSnapshot(t.Context(), request); err != nil || again.GetGroupSnapshot().GetGroupSnapshotId() != group.GroupSnapshotId {
		t.Errorf("again: %v, %v", again, err)
	}
	_, err = d.CreateVolumeGroupSnapshot(t.Context(), &csi.CreateVolumeGroupSnapshotRequest{Name: "g", SourceVolumeIds: sources[:1]})
	expectCode(t, "other volumes", err, codes.AlreadyExists)
	for _, member := range group.Snapshots {
		restored := d.mustCreate(t, fromSnapshot(volumeRequest("r-"+member.SnapshotId, store.Block, nil), member.SnapshotId))
		if got, want := d.read(t, restored.VolumeId, 0, 1), member.SourceVolumeId[len("vol-"):]; got != want {
			t.Errorf("member of %s restores %q", member.SourceVolumeId, got)
		}
		_, err := d.DeleteSnapshot(t.Context(), &csi.DeleteSnapshotRequest{SnapshotId: member.SnapshotId})
		expectCode(t, "delete a member", err, codes.InvalidArgument, group.GroupSnapshotId)
	}
	_, err = d.GetVolumeGroupSnapshot(t.Context(), &csi.GetVolumeGroupSnapshotRequest{GroupSnapshotId: group.GroupSnapshotId, SnapshotIds: []string{"snap-other"}})
	expectCode(t, "members differ", err, codes.InvalidArgument, "snap-other")
	if _, err := d.DeleteVolumeGroupSnapshot(t.Context(), &csi.DeleteVolumeGroupSnapshotRequest{GroupSnapshotId: group.GroupSnapshotId}); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(d.store.Dir + "/snapshots"); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	never, err := d.CreateVolumeGroupSnapshot(t.Context(), &csi.CreateVolumeGroupSnapshotRequest{Name: "n", SourceVolumeIds: sources, Parameters: map[string]string{"snapshot": "never-ready"}})
	if err != nil || never.GetGroupSnapshot().GetReadyToUse() || never.GetGroupSnapshot().GetSnapshots()[0].GetReadyToUse() {
		t.Errorf("never-ready group: %v, %v", never, err)
	}
}

func TestWipedDataDirectory(t *testing.T) {
	d := testDriver(t)
	source := d.mustCreate(t, volumeRequest("source", store.Block, nil)).VolumeId
	if err := os.RemoveAll(d.store.Dir); err != nil {
		t.Fatal(err)
	}
	if list, err := d.ListVolumes(t.Context(), &csi.ListVolumesRequest{}); err != nil || len(list.Entries) != 0 {
		t.Errorf("list: %v, %v", list, err)
	}
	if _, err := d.GetCapacity(t.Context(), &csi.GetCapacityRequest{}); err != nil {
		t.Error(err)
	}
	if _, err := d.DeleteVolume(t.Context(), &csi.DeleteVolumeRequest{VolumeId: source}); err != nil {
		t.Error(err)
	}
	d.mustCreate(t, volumeRequest("source", store.Block, nil))
}

func TestPages(t *testing.T) {
	self := func(s string) string { return s }
	page, next, err := pageOf([]string{"a", "b", "c"}, self, "", 2)
	if err != nil || len(page) != 2 || next == "" {
		t.Fatalf("%v, %q, %v", page, next, err)
	}
	// The last one of the first page is deleted, and one is added.
	page, next, err = pageOf([]string{"a", "bb", "c"}, self, next, 0)
	if err != nil || strings.Join(page, "") != "bbc" || next != "" {
		t.Errorf("%v, %q, %v", page, next, err)
	}
	page, _, err = pageOf([]string{"a", "b", "c"}, self, "after:b", 0)
	if err != nil || strings.Join(page, "") != "c" {
		t.Errorf("after b: %v, %v", page, err)
	}
	_, _, err = pageOf([]string{"a"}, self, "nonsense", 0)
	expectCode(t, "token", err, codes.Aborted)
}

func TestChooseNode(t *testing.T) {
	d := testDriver(t, func(s *settings) { s.topology = "node"; s.mode = "controller"; s.node = "" })
	on := func(nodes ...string) (all []*csi.Topology) {
		for _, n := range nodes {
			all = append(all, topologyOf(n))
		}
		return all
	}
	for _, c := range []struct {
		accepted *csi.TopologyRequirement
		source   string
		want     string
		code     codes.Code
	}{
		{&csi.TopologyRequirement{Requisite: on("a", "b"), Preferred: on("b", "a")}, "", "b", codes.OK},
		{&csi.TopologyRequirement{Requisite: on("a", "b")}, "", "a", codes.OK},
		{&csi.TopologyRequirement{Requisite: on("a", "b"), Preferred: on("b", "a")}, "a", "a", codes.OK},
		{&csi.TopologyRequirement{Requisite: on("b"), Preferred: on("b")}, "a", "", codes.ResourceExhausted},
		{nil, "a", "a", codes.OK},
		{nil, "", "", codes.InvalidArgument},
	} {
		got, err := d.chooseNode(c.accepted, c.source)
		if got != c.want || codeOf(err) != c.code {
			t.Errorf("%v from %q: %q, %v", c.accepted, c.source, got, err)
		}
	}
	request := volumeRequest("v", store.Block, nil)
	request.AccessibilityRequirements = &csi.TopologyRequirement{Requisite: on("a")}
	v := d.mustCreate(t, request)
	if got := v.GetAccessibleTopology(); len(got) != 1 || got[0].GetSegments()[topologyKey] != "a" {
		t.Errorf("accessible from %v", got)
	}
	snapshot := d.mustSnapshot(t, "s", v.VolumeId, nil)
	request = fromSnapshot(volumeRequest("w", store.Block, nil), snapshot.SnapshotId)
	request.AccessibilityRequirements = &csi.TopologyRequirement{Requisite: on("b")}
	_, err := d.CreateVolume(t.Context(), request)
	expectCode(t, "restore on another node", err, codes.ResourceExhausted, "node a")
}

func TestMissingCapabilities(t *testing.T) {
	d := testDriver(t, func(s *settings) { s.capabilities = "" })
	_, err := d.CreateSnapshot(t.Context(), &csi.CreateSnapshotRequest{Name: "s", SourceVolumeId: "vol-a"})
	expectCode(t, "CreateSnapshot", err, codes.Unimplemented)
	response, err := d.ControllerGetCapabilities(t.Context(), nil)
	if err != nil || len(response.Capabilities) != 2 {
		t.Errorf("capabilities: %v, %v", response, err)
	}
	if _, err := parseCapabilities("snapshots,teleport"); err == nil || !strings.Contains(err.Error(), "teleport") {
		t.Error(err)
	}
}

func TestBusy(t *testing.T) {
	d := testDriver(t)
	unlock, err := d.store.Lock(store.VolumeID("a"))
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	_, err = d.CreateVolume(t.Context(), volumeRequest("a", store.Block, nil))
	expectCode(t, "in flight", err, codes.Aborted)
	if s, _ := status.FromError(status.Error(codeOf(err), messageOf(err))); !strings.Contains(s.Message(), "vol-a") {
		t.Errorf("message: %s", s.Message())
	}
}
