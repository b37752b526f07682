package disk

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestParseMountInfo(t *testing.T) {
	mounts, err := parseMountInfo(`36 35 98:0 / /mnt/with\040space rw,noatime master:1 - ext4 /dev/loop0 rw,errors=continue
37 35 0:6 /loop3 /target ro,nosuid - devtmpfs dev\134tmpfs rw
`)
	if err != nil {
		t.Fatal(err)
	}
	want := []Mount{
		{Point: "/mnt/with space", Root: "/", FSType: "ext4", Source: "/dev/loop0"},
		{Point: "/target", Root: "/loop3", FSType: "devtmpfs", Source: `dev\tmpfs`, ReadOnly: true},
	}
	for i := range want {
		if mounts[i] != want[i] {
			t.Errorf("mount %d = %+v, want %+v", i, mounts[i], want[i])
		}
	}
	if _, err := parseMountInfo("nonsense\n"); err == nil {
		t.Error("nonsense is taken for mountinfo")
	}
	if _, err := Mounts(); err != nil {
		t.Error(err)
	}
}

const mib = 1 << 20

// image is a sparse file with data in the middle and at the end.
func image(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(64 * mib); err != nil {
		t.Fatal(err)
	}
	for _, at := range []int64{10 * mib, 64*mib - 3} {
		if _, err := f.WriteAt([]byte("abc"), at); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func TestCopyIsEqualAndSparse(t *testing.T) {
	source := image(t)
	target := filepath.Join(t.TempDir(), "copy")
	if err := os.WriteFile(target, []byte("old content"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Copy(source, target); err != nil {
		t.Fatal(err)
	}
	a, _ := os.ReadFile(source)
	b, _ := os.ReadFile(target)
	if !bytes.Equal(a, b) {
		t.Error("the copy differs")
	}
	var stat unix.Stat_t
	if err := unix.Stat(target, &stat); err != nil {
		t.Fatal(err)
	}
	if used := stat.Blocks * 512; used > mib {
		t.Errorf("the copy takes %d bytes on disk", used)
	}
}

// Two numbers are written one after the other, as a log and then its database
// are, in bursts. The copy reads the second one first: if it did not take care
// to be of one moment, the first would be ahead by the writes in between.
func TestCutIsOfOneMoment(t *testing.T) {
	const first, second = 40 * mib, 0
	source := image(t)
	target := filepath.Join(t.TempDir(), "copy")
	f, err := os.OpenFile(source, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(bytes.Repeat([]byte("filling"), 16*mib/7), mib); err != nil {
		t.Fatal(err)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		number := make([]byte, 8)
		for i := uint64(1); ; i++ {
			binary.BigEndian.PutUint64(number, i)
			f.WriteAt(number, first)
			f.WriteAt(number, second)
			if i%5000 == 0 {
				time.Sleep(150 * time.Millisecond)
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	defer func() { close(stop); <-stopped }()
	for range 5 {
		if err := Cut(t.Context(), []string{source}, []string{target}); err != nil {
			t.Fatal(err)
		}
		copied, err := os.ReadFile(target)
		if err != nil {
			t.Fatal(err)
		}
		one, two := binary.BigEndian.Uint64(copied[first:]), binary.BigEndian.Uint64(copied[second:])
		if one != two && one != two+1 {
			t.Errorf("the first number is %d, the second %d", one, two)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 1000 { // it may find a pause some times
		if err = Cut(ctx, []string{source}, []string{target}); err != nil {
			break
		}
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cut for a caller that went away: %v", err)
	}
}

func TestIsBlank(t *testing.T) {
	path := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(path, make([]byte, mib), 0o600); err != nil {
		t.Fatal(err)
	}
	if blank, err := IsBlank(path); err != nil || !blank {
		t.Errorf("zeros: %t, %v", blank, err)
	}
	if blank, err := IsBlank(image(t)); err != nil || blank {
		t.Errorf("data: %t, %v", blank, err)
	}
}

func TestSame(t *testing.T) {
	a, b := image(t), image(t)
	for _, c := range []struct {
		change func() error
		same   bool
	}{
		{func() error { return nil }, true},
		{func() error { return os.Truncate(b, 65*mib) }, true},
		{func() error { return writeAt(b, 65*mib-1) }, false},
		{func() error { return writeAt(a, 1) }, false},
	} {
		if err := c.change(); err != nil {
			t.Fatal(err)
		}
		for _, pair := range [][2]string{{a, b}, {b, a}} {
			if same, err := Same(pair[0], pair[1]); err != nil || same != c.same {
				t.Errorf("same = %t, %v; want %t", same, err, c.same)
			}
		}
	}
}

func writeAt(path string, at int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteAt([]byte("x"), at)
	return err
}

func TestPrepareSparesData(t *testing.T) {
	path := image(t)
	if err := Prepare(t.Context(), path, false); !errors.Is(err, ErrForeign) {
		t.Errorf("format over data: %v", err)
	}
	blank := filepath.Join(t.TempDir(), "blank")
	if err := os.WriteFile(blank, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Grow(blank, 16*mib); err != nil {
		t.Fatal(err)
	}
	if err := Prepare(t.Context(), blank, false); err != nil {
		t.Fatal(err)
	}
	formatted, err := os.ReadFile(blank)
	if err != nil {
		t.Fatal(err)
	}
	if err := Prepare(t.Context(), blank, false); err != nil {
		t.Fatal(err)
	}
	again, _ := os.ReadFile(blank)
	if !bytes.Equal(formatted, again) {
		t.Error("an ext4 was formatted again")
	}
}

func TestGrowNeverShrinks(t *testing.T) {
	path := image(t)
	if err := Grow(path, mib); err != nil {
		t.Fatal(err)
	}
	if size, err := Size(path); err != nil || size != 64*mib {
		t.Errorf("size = %d, %v", size, err)
	}
}
