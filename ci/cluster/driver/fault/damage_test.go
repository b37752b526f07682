package fault

import (
	"bytes"
	"errors"
	"math/bits"
	"os"
	"path/filepath"
	"testing"
)

// device is an image of 64 KiB with data at some places.
func device(t *testing.T, data map[int64]string) (*os.File, int64, []byte) {
	t.Helper()
	const size = 64 << 10
	f, err := os.Create(filepath.Join(t.TempDir(), "image"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	for at, text := range data {
		if _, err := f.WriteAt([]byte(text), at); err != nil {
			t.Fatal(err)
		}
	}
	return f, size, content(t, f)
}

func content(t *testing.T, f *os.File) []byte {
	t.Helper()
	all, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func flipped(a, b []byte) (count int, where int) {
	for i := range a {
		if n := bits.OnesCount8(a[i] ^ b[i]); n > 0 {
			count += n
			where = i
		}
	}
	return count, where
}

func TestCutBlocks(t *testing.T) {
	f, size, before := device(t, map[int64]string{4096: "first", 20000: "last"})
	if err := CutBlocks(f, size); err != nil {
		t.Fatal(err)
	}
	after := content(t, f)
	if !bytes.Equal(after[:4096+5], before[:4096+5]) {
		t.Error("the first half is damaged too")
	}
	if !bytes.Equal(after[20000:], make([]byte, size-20000)) {
		t.Error("the second half is still there")
	}
}

func TestCutBlocksOfOneByte(t *testing.T) {
	f, size, _ := device(t, map[int64]string{77: "x"})
	if err := CutBlocks(f, size); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(content(t, f), make([]byte, size)) {
		t.Error("the only byte is still there")
	}
}

func TestFlipBlocksHitsData(t *testing.T) {
	f, size, before := device(t, map[int64]string{100: "early", 8192 + 10: "twelve bytes"})
	if err := FlipBlocks(f, size); err != nil {
		t.Fatal(err)
	}
	count, where := flipped(before, content(t, f))
	if count != 1 || where < 8192+10 || where >= 8192+22 {
		t.Errorf("%d bits differ, the last at %d", count, where)
	}
}

func TestZeroBlocks(t *testing.T) {
	f, size, before := device(t, map[int64]string{100: "early", 8192 + 10: "late"})
	if err := ZeroBlocks(f, size); err != nil {
		t.Fatal(err)
	}
	after := content(t, f)
	if !bytes.Equal(after[:8192], before[:8192]) || !bytes.Equal(after[8192:], make([]byte, size-8192)) {
		t.Error("not the last block, or not it alone, is zero")
	}
}

func TestNothingToDamage(t *testing.T) {
	f, size, _ := device(t, nil)
	for name, damage := range map[string]func(Device, int64) error{"cut": CutBlocks, "flip": FlipBlocks, "zero": ZeroBlocks} {
		if err := damage(f, size); !errors.Is(err, ErrNothingToDamage) {
			t.Errorf("%s: %v", name, err)
		}
	}
	empty := tree(t, map[string]string{"empty": ""})
	zeros := tree(t, map[string]string{"zeros": "\x00\x00\x00\x00"})
	for name, damage := range map[string]func(*os.Root) error{"cut": CutFiles, "flip": FlipFile, "zero": ZeroFileEnd} {
		if err := damage(empty); !errors.Is(err, ErrNothingToDamage) {
			t.Errorf("%s of an empty file: %v", name, err)
		}
	}
	if err := ZeroFileEnd(zeros); !errors.Is(err, ErrNothingToDamage) {
		t.Errorf("zeros over zeros: %v", err)
	}
}

func tree(t *testing.T, files map[string]string) *os.Root {
	t.Helper()
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	for name, text := range files {
		if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := root.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func expect(t *testing.T, root *os.Root, name, want string) {
	t.Helper()
	got, err := root.ReadFile(name)
	if err != nil || string(got) != want {
		t.Errorf("%s = %q, %v; want %q", name, got, err, want)
	}
}

func TestCutFiles(t *testing.T) {
	root := tree(t, map[string]string{"a": "12345678", "deep/er/b": "x", "empty": ""})
	if err := root.Symlink("a", "link"); err != nil {
		t.Fatal(err)
	}
	if err := CutFiles(root); err != nil {
		t.Fatal(err)
	}
	expect(t, root, "a", "1234")
	expect(t, root, "deep/er/b", "")
}

func TestFlipFile(t *testing.T) {
	root := tree(t, map[string]string{"small": "1234", "dir/large": "0123456789"})
	if err := FlipFile(root); err != nil {
		t.Fatal(err)
	}
	expect(t, root, "small", "1234")
	expect(t, root, "dir/large", "01234%6789")
}

func TestZeroFileEnd(t *testing.T) {
	root := tree(t, map[string]string{"large": "01234567", "zeros": string(make([]byte, 100)), "small": "1"})
	if err := ZeroFileEnd(root); err != nil {
		t.Fatal(err)
	}
	expect(t, root, "large", "012345\x00\x00")
	expect(t, root, "small", "1")

	root = tree(t, map[string]string{"large": "abc\x00\x00\x00\x00\x00"})
	if err := ZeroFileEnd(root); err != nil {
		t.Fatal(err)
	}
	expect(t, root, "large", "ab\x00\x00\x00\x00\x00\x00")

	root = tree(t, map[string]string{"one": "a"})
	if err := ZeroFileEnd(root); err != nil {
		t.Fatal(err)
	}
	expect(t, root, "one", "\x00")
}
