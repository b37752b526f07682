package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"

	"snapready/ci/cluster/driver/disk"
	"snapready/ci/cluster/driver/store"
)

// These tests use loop devices and mounts.

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() == 0 {
		return
	}
	const reason = "loop devices and mounts need root"
	if os.Getenv("CI") == "true" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// testNode is a node with the directories of its kubelet.
type testNode struct {
	*driver
	t   *testing.T
	dir string
}

// onNode gives another node of the same storage; with d's own name it is the
// same node after a restart of the driver.
func onNode(t *testing.T, d *driver, name string) *testNode {
	t.Helper()
	same := *d
	same.node = name
	n := &testNode{driver: &same, t: t, dir: t.TempDir()}
	t.Cleanup(func() {
		mounts, err := disk.Mounts()
		if err != nil {
			t.Error(err)
		}
		for _, m := range mounts {
			if strings.HasPrefix(m.Point, n.dir) {
				t.Errorf("left mounted: %s", m.Point)
				unix.Unmount(m.Point, 0)
			}
		}
		all, _ := n.store.Volumes()
		for _, v := range all {
			devices, _ := disk.Devices(n.store.VolumeImage(v.ID))
			for _, device := range devices {
				t.Errorf("left attached: %s to %s", device, v.ID)
				disk.Detach(device)
			}
		}
	})
	return n
}

func (n *testNode) staging(id string) string { return filepath.Join(n.dir, "staging", id) }
func (n *testNode) target(id string) string  { return filepath.Join(n.dir, "pods", id, "mount") }

func (n *testNode) stage(id string, c *csi.VolumeCapability) error {
	_, err := n.NodeStageVolume(n.t.Context(), &csi.NodeStageVolumeRequest{VolumeId: id, StagingTargetPath: n.staging(id), VolumeCapability: c})
	return err
}

func (n *testNode) publish(id string, c *csi.VolumeCapability, readOnly bool) error {
	_, err := n.NodePublishVolume(n.t.Context(), &csi.NodePublishVolumeRequest{
		VolumeId: id, StagingTargetPath: n.staging(id), TargetPath: n.target(id), VolumeCapability: c, Readonly: readOnly})
	return err
}

// mount stages and publishes, twice, and returns the target path.
func (n *testNode) mount(id string, c *csi.VolumeCapability, readOnly bool) string {
	n.t.Helper()
	for range 2 {
		if err := n.stage(id, c); err != nil {
			n.t.Fatalf("stage %s: %v", id, err)
		}
	}
	for range 2 {
		if err := n.publish(id, c, readOnly); err != nil {
			n.t.Fatalf("publish %s: %v", id, err)
		}
	}
	return n.target(id)
}

// unmount unpublishes and unstages, twice.
func (n *testNode) unmount(id string) {
	n.t.Helper()
	for range 2 {
		if _, err := n.NodeUnpublishVolume(context.Background(), &csi.NodeUnpublishVolumeRequest{VolumeId: id, TargetPath: n.target(id)}); err != nil {
			n.t.Errorf("unpublish %s: %v", id, err)
		}
	}
	for range 2 {
		if _, err := n.NodeUnstageVolume(context.Background(), &csi.NodeUnstageVolumeRequest{VolumeId: id, StagingTargetPath: n.staging(id)}); err != nil {
			n.t.Errorf("unstage %s: %v", id, err)
		}
	}
	if _, err := os.Lstat(n.target(id)); !errors.Is(err, os.ErrNotExist) {
		n.t.Errorf("the target path of %s is still there: %v", id, err)
	}
}

// writeFile writes through to the device.
func writeFile(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_SYNC, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

// tryToWrite does not stop at opening: a device refuses at the write only.
func tryToWrite(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_SYNC, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString("x")
	return err
}

func (n *testNode) files(id string) map[string]string {
	n.t.Helper()
	target := n.mount(id, capability(store.Filesystem, writer), false)
	defer n.unmount(id)
	entries, err := os.ReadDir(target)
	if err != nil {
		n.t.Fatal(err)
	}
	files := map[string]string{}
	for _, e := range entries {
		if e.Type().IsRegular() {
			text, err := os.ReadFile(filepath.Join(target, e.Name()))
			if err != nil {
				n.t.Fatal(err)
			}
			files[e.Name()] = string(text)
		}
	}
	return files
}

func TestFilesystemRestores(t *testing.T) {
	needRoot(t)
	d := testDriver(t)
	n := onNode(t, d, "node-1")
	source := d.mustCreate(t, volumeRequest("source", store.Filesystem, nil)).VolumeId
	target := n.mount(source, capability(store.Filesystem, writer), false)
	defer n.unmount(source)
	const large = "0123456789abcdef"
	writeFile(t, target+"/large", large)
	writeFile(t, target+"/small", "then")
	older := d.mustSnapshot(t, "older", source, nil)
	time.Sleep(2 * time.Millisecond)
	writeFile(t, target+"/small", "when")
	snapshot := d.mustSnapshot(t, "newer", source, nil).SnapshotId
	writeFile(t, target+"/small", "now!")
	if older.SnapshotId == snapshot {
		t.Fatal("two names, one snapshot")
	}

	for _, c := range []struct{ restore, large, small string }{
		{"ok", large, "when"},
		{"empty", "", ""},
		{"stale", large, "now!"},
		{"truncated", "01234567", "wh"},
		{"bitflip", "01234567(9abcdef", "when"},
		{"zeros-at-end", "0123456789ab\x00\x00\x00\x00", "when"},
		{"old-snapshot", large, "then"},
		{"other-volume", "", ""},
	} {
		v := d.mustCreate(t, fromSnapshot(volumeRequest("r-"+c.restore, store.Filesystem, map[string]string{"restore": c.restore}), snapshot))
		files := n.files(v.VolumeId)
		if files["large"] != c.large || files["small"] != c.small {
			t.Errorf("%s: %q", c.restore, files)
		}
		if decoy := files["README"] != ""; decoy != (c.restore == "other-volume") {
			t.Errorf("%s: foreign files: %t", c.restore, decoy)
		}
	}
	stranger := d.mustCreate(t, volumeRequest("stranger", store.Filesystem, nil)).VolumeId
	writeFile(t, n.mount(stranger, capability(store.Filesystem, writer), false)+"/theirs", "theirs")
	n.unmount(stranger)
	v := d.mustCreate(t, fromSnapshot(volumeRequest("other", store.Filesystem, map[string]string{"restore": "other-volume"}), snapshot))
	if files := n.files(v.VolumeId); files["theirs"] != "theirs" || len(files) != 1 {
		t.Errorf("other-volume: %q", files)
	}
}

func TestDamageNeedsFiles(t *testing.T) {
	needRoot(t)
	d := testDriver(t)
	n := onNode(t, d, "node-1")
	source := d.mustCreate(t, volumeRequest("source", store.Filesystem, nil)).VolumeId
	unused := d.mustSnapshot(t, "unused", source, nil).SnapshotId
	n.files(source) // formats it
	formatted := d.mustSnapshot(t, "formatted", source, nil).SnapshotId
	for _, snapshot := range []string{unused, formatted} {
		for _, value := range []string{"truncated", "bitflip", "zeros-at-end"} {
			_, err := d.CreateVolume(t.Context(), fromSnapshot(volumeRequest("r", store.Filesystem, map[string]string{"restore": value}), snapshot))
			expectCode(t, value+" of "+snapshot, err, codes.FailedPrecondition, "no data to damage")
		}
	}
	if files := n.files(d.mustCreate(t, fromSnapshot(volumeRequest("ok", store.Filesystem, nil), unused)).VolumeId); len(files) != 0 {
		t.Errorf("restored from an unused volume: %q", files)
	}
}

// What the node holds back in memory is not in the snapshot, and what it has
// written through is.
func TestSnapshotIsCrashConsistent(t *testing.T) {
	needRoot(t)
	d := testDriver(t)
	n := onNode(t, d, "node-1")
	source := d.mustCreate(t, volumeRequest("source", store.Filesystem, nil)).VolumeId
	target := n.mount(source, capability(store.Filesystem, writer), false)
	defer n.unmount(source)
	writeFile(t, target+"/synced", "synced")
	if err := os.WriteFile(target+"/cached", []byte("cached"), 0o644); err != nil {
		t.Fatal(err)
	}
	snapshot := d.mustSnapshot(t, "s", source, nil).SnapshotId
	files := n.files(d.mustCreate(t, fromSnapshot(volumeRequest("r", store.Filesystem, nil), snapshot)).VolumeId)
	if files["synced"] != "synced" || files["cached"] != "" {
		t.Errorf("restored: %q", files)
	}

	// A reader cannot replay the journal, and sees the file all the same.
	request := fromSnapshot(volumeRequest("read", store.Filesystem, nil), snapshot)
	request.VolumeCapabilities[0].AccessMode.Mode = readers
	id := d.mustCreate(t, request).VolumeId
	text, err := os.ReadFile(n.mount(id, request.VolumeCapabilities[0], true) + "/synced")
	if string(text) != "synced" {
		t.Errorf("a reader sees %q, %v", text, err)
	}
	n.unmount(id)
}

func TestGrownRestoreAndExpansion(t *testing.T) {
	needRoot(t)
	d := testDriver(t)
	n := onNode(t, d, "node-1")
	source := d.mustCreate(t, volumeRequest("source", store.Filesystem, nil)).VolumeId
	n.files(source)
	snapshot := d.mustSnapshot(t, "s", source, nil).SnapshotId
	request := fromSnapshot(volumeRequest("r", store.Filesystem, nil), snapshot)
	request.CapacityRange.RequiredBytes = 300 * mebibyte
	id := d.mustCreate(t, request).VolumeId
	target := n.mount(id, capability(store.Filesystem, writer), false)
	defer n.unmount(id)
	total := func() int64 {
		stats, err := n.NodeGetVolumeStats(t.Context(), &csi.NodeGetVolumeStatsRequest{VolumeId: id, VolumePath: target})
		if err != nil {
			t.Fatal(err)
		}
		return stats.GetUsage()[0].GetTotal()
	}
	if got := total(); got < 270*mebibyte {
		t.Errorf("a restore of 300 MiB has %d bytes", got)
	}
	expanded, err := d.ControllerExpandVolume(t.Context(), &csi.ControllerExpandVolumeRequest{VolumeId: id, CapacityRange: &csi.CapacityRange{RequiredBytes: 3000 * mebibyte}})
	if err != nil || !expanded.NodeExpansionRequired || expanded.CapacityBytes != 3000*mebibyte {
		t.Fatalf("%v, %v", expanded, err)
	}
	_, err = n.NodeExpandVolume(t.Context(), &csi.NodeExpandVolumeRequest{VolumeId: id, VolumePath: target})
	if mayResizeOnline(t) {
		expectCode(t, "expand", err, codes.OK)
	} else {
		expectCode(t, "expand without CAP_SYS_RESOURCE", err, codes.FailedPrecondition, "CAP_SYS_RESOURCE")
		n.unmount(id)
		n.mount(id, capability(store.Filesystem, writer), false)
	}
	if got := total(); got < 2800*mebibyte {
		t.Errorf("expanded to 3000 MiB it has %d bytes", got)
	}
}

func mayResizeOnline(t *testing.T) bool {
	t.Helper()
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		t.Fatal(err)
	}
	return data[0].Effective&(1<<unix.CAP_SYS_RESOURCE) != 0
}

func TestReadOnlyPublish(t *testing.T) {
	needRoot(t)
	d := testDriver(t)
	n := onNode(t, d, "node-1")
	for _, mode := range []store.Mode{store.Filesystem, store.Block} {
		id := d.mustCreate(t, volumeRequest("v-"+string(mode), mode, nil)).VolumeId
		c := capability(mode, writer)
		target := n.mount(id, c, true)
		path := target
		if mode == store.Filesystem {
			path += "/file"
		}
		if err := tryToWrite(path); err == nil {
			t.Errorf("%s: a read-only volume can be written", mode)
		}
		expectCode(t, "publish the other way", n.publish(id, c, false), codes.AlreadyExists)
		if mode == store.Block {
			elsewhere := *n
			elsewhere.dir = t.TempDir()
			expectCode(t, "a writer beside it", elsewhere.publish(id, c, false), codes.FailedPrecondition, target)
		}
		n.unmount(id)
		target = n.mount(id, c, false)
		if mode == store.Filesystem {
			writeFile(t, target+"/file", "x")
		} else {
			writeFile(t, target, "x")
		}
		n.unmount(id)
	}
}

func TestBlockDevice(t *testing.T) {
	needRoot(t)
	d := testDriver(t)
	n := onNode(t, d, "node-1")
	id := d.mustCreate(t, volumeRequest("v", store.Block, nil)).VolumeId
	target := n.mount(id, capability(store.Block, writer), false)
	if size, err := disk.Size(target); err != nil || size != 8*mebibyte {
		t.Errorf("size %d, %v", size, err)
	}
	writeFile(t, target, "from the pod")
	if got := d.read(t, id, 0, 12); got != "from the pod" {
		t.Errorf("the image has %q", got)
	}
	_, err := d.DeleteVolume(t.Context(), &csi.DeleteVolumeRequest{VolumeId: id})
	expectCode(t, "delete while staged", err, codes.FailedPrecondition, "node-1")

	if _, err := d.ControllerExpandVolume(t.Context(), &csi.ControllerExpandVolumeRequest{VolumeId: id, CapacityRange: &csi.CapacityRange{RequiredBytes: 9 * mebibyte}}); err != nil {
		t.Fatal(err)
	}
	if _, err := n.NodeExpandVolume(t.Context(), &csi.NodeExpandVolumeRequest{VolumeId: id, VolumePath: target}); err != nil {
		t.Fatal(err)
	}
	if size, err := disk.Size(target); err != nil || size != 9*mebibyte {
		t.Errorf("expanded size %d, %v", size, err)
	}

	// A restarted driver finds the device.
	restarted := onNode(t, d, "node-1")
	restarted.dir = n.dir
	restarted.unmount(id)
	if devices, _ := disk.Devices(d.store.VolumeImage(id)); len(devices) > 0 {
		t.Errorf("left attached: %v", devices)
	}
}

func TestOwnerOfTheDevice(t *testing.T) {
	needRoot(t)
	d := testDriver(t)
	n := onNode(t, d, "node-1")
	for name, c := range map[string]struct {
		parameters map[string]string
		mode       os.FileMode
		group      uint32
	}{
		"as-udev":   {nil, 0o660, 6},
		"ok":        {map[string]string{"device": "ok"}, 0o660, 6},
		"root-only": {map[string]string{"device": "root-only"}, 0o600, 0},
	} {
		source := d.mustCreate(t, volumeRequest(name, store.Block, c.parameters)).VolumeId
		d.write(t, source, 0, "data")
		snapshot := d.mustSnapshot(t, name, source, nil)
		restored := d.mustCreate(t, fromSnapshot(volumeRequest(name+"-restored", store.Block, c.parameters), snapshot.SnapshotId)).VolumeId
		for _, id := range []string{source, restored} {
			// A reader's device is attached anew.
			for _, readOnly := range []bool{false, true} {
				var stat unix.Stat_t
				if err := unix.Stat(n.mount(id, capability(store.Block, writer), readOnly), &stat); err != nil {
					t.Fatal(err)
				}
				if mode := os.FileMode(stat.Mode & 0o777); mode != c.mode || stat.Uid != 0 || stat.Gid != c.group {
					t.Errorf("%s: the device is %o %d:%d, want %o 0:%d", id, mode, stat.Uid, stat.Gid, c.mode, c.group)
				}
				n.unmount(id)
			}
		}
	}
	_, err := d.CreateVolume(t.Context(), volumeRequest("b", store.Block, map[string]string{"device": "hang"}))
	expectCode(t, "another value", err, codes.InvalidArgument, "root-only")
}

func TestOneWriterOfTwoNodes(t *testing.T) {
	needRoot(t)
	d := testDriver(t)
	one, two := onNode(t, d, "node-1"), onNode(t, d, "node-2")
	for _, mode := range []store.Mode{store.Filesystem, store.Block} {
		id := d.mustCreate(t, volumeRequest("v-"+string(mode), mode, nil)).VolumeId
		c := capability(mode, writer)
		one.mount(id, c, false)
		expectCode(t, "second writer", two.stage(id, c), codes.FailedPrecondition, "node-1")
		expectCode(t, "reader beside a writer", two.stage(id, capability(mode, readers)), codes.FailedPrecondition, "node-1")
		one.unmount(id)
		two.mount(id, c, false)
		two.unmount(id)

		one.mount(id, capability(mode, readers), true)
		target := two.mount(id, capability(mode, readers), true)
		if err := tryToWrite(target + map[store.Mode]string{store.Filesystem: "/x"}[mode]); err == nil {
			t.Errorf("%s: a reader can write", mode)
		}
		one.unmount(id)
		if _, err := os.Stat(target); err != nil {
			t.Errorf("%s: the other reader lost the volume: %v", mode, err)
		}
		if devices, _ := disk.Devices(d.store.VolumeImage(id)); len(devices) == 0 {
			t.Errorf("%s: the other reader lost its device", mode)
		}
		two.unmount(id)
	}
}

func TestNodeThatLostItsVolume(t *testing.T) {
	needRoot(t)
	d := testDriver(t)
	id := d.mustCreate(t, volumeRequest("v", store.Filesystem, nil)).VolumeId
	v, err := d.store.Volume(id)
	if err != nil {
		t.Fatal(err)
	}
	v.Staged = map[string]store.Access{"node-dead": store.Writer}
	if err := d.store.SaveVolume(v); err != nil {
		t.Fatal(err)
	}
	n := onNode(t, d, "node-1")
	n.mount(id, capability(store.Filesystem, writer), false)
	n.unmount(id)
}

func TestNodeLocalVolumeStaysOnItsNode(t *testing.T) {
	needRoot(t)
	d := testDriver(t, func(s *settings) { s.topology = "node" })
	id := d.mustCreate(t, volumeRequest("v", store.Filesystem, nil)).VolumeId
	expectCode(t, "stage elsewhere", onNode(t, d, "node-2").stage(id, capability(store.Filesystem, writer)), codes.FailedPrecondition, "node-1")
}

func TestUnstageAfterWipe(t *testing.T) {
	needRoot(t)
	d := testDriver(t)
	n := onNode(t, d, "node-1")
	for _, mode := range []store.Mode{store.Filesystem, store.Block} {
		id := d.mustCreate(t, volumeRequest("v", mode, nil)).VolumeId
		other := d.mustCreate(t, volumeRequest("other", mode, nil)).VolumeId
		n.mount(id, capability(mode, writer), false)
		n.mount(other, capability(mode, writer), false)
		if err := os.RemoveAll(d.store.Dir); err != nil {
			t.Fatal(err)
		}
		n.unmount(id)
		if devices, _ := disk.Devices(d.store.VolumeImage(id)); len(devices) > 0 {
			t.Errorf("%s: left attached: %v", mode, devices)
		}
		if devices, _ := disk.Devices(d.store.VolumeImage(other)); len(devices) != 1 {
			t.Errorf("%s: the other volume has the devices %v", mode, devices)
		}
		n.unmount(other)
	}
}

func TestForeignDataIsNotFormatted(t *testing.T) {
	needRoot(t)
	d := testDriver(t)
	id := d.mustCreate(t, volumeRequest("v", store.Filesystem, nil)).VolumeId
	d.write(t, id, 0, "raw data of a Block snapshot")
	before, _ := os.ReadFile(d.store.VolumeImage(id))
	expectCode(t, "stage", onNode(t, d, "node-1").stage(id, capability(store.Filesystem, writer)), codes.FailedPrecondition, "not formatted")
	if after, _ := os.ReadFile(d.store.VolumeImage(id)); !bytes.Equal(before, after) {
		t.Error("the data was changed")
	}
}
