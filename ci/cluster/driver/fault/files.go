package fault

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"slices"
)

// CutFiles cuts every regular file to half its length.
func CutFiles(root *os.Root) error {
	files, err := filesWithData(root)
	if err != nil {
		return err
	}
	for _, f := range files {
		err := change(root, f, func(opened *os.File) error { return opened.Truncate(f.size / 2) })
		if err != nil {
			return err
		}
	}
	return nil
}

// FlipFile flips one bit in the middle of the largest regular file.
func FlipFile(root *os.Root) error {
	files, err := filesWithData(root)
	if err != nil {
		return err
	}
	return change(root, files[0], func(opened *os.File) error { return flip(opened, files[0].size/2) })
}

// ZeroFileEnd zeros the last quarter of the largest regular file that is not
// all zeros, and more if that quarter is: some byte is always lost.
func ZeroFileEnd(root *os.Root) error {
	files, err := filesWithData(root)
	if err != nil {
		return err
	}
	for _, f := range files {
		err := change(root, f, func(opened *os.File) error {
			_, last, err := written(opened, f.size)
			if err != nil {
				return err
			}
			return zero(opened, min(f.size-(f.size+3)/4, last), f.size)
		})
		if !errors.Is(err, ErrNothingToDamage) {
			return err
		}
	}
	return ErrNothingToDamage
}

type file struct {
	name string
	size int64
}

// filesWithData lists the regular files that are not empty, the largest first.
func filesWithData(root *os.Root) ([]file, error) {
	var files []file
	err := fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Size() > 0 {
			files = append(files, file{name, info.Size()})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, ErrNothingToDamage
	}
	slices.SortStableFunc(files, func(a, b file) int { return cmp.Compare(b.size, a.size) })
	return files, nil
}

func change(root *os.Root, f file, how func(*os.File) error) error {
	opened, err := root.OpenFile(f.name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(how(opened), opened.Close())
}
