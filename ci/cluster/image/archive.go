// Package image writes container images as docker-archive files, the format that `ctr images import` reads:
// a tar file of manifest.json, a configuration and one layer. No registry and no daemon is involved.
package image

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
	"time"
)

// Image is what an archive is made of.
type Image struct {
	// Reference is the full name with tag, as a pod names it.
	Reference  string
	Entrypoint []string
	Command    []string
	// Files maps paths in the image to files of this machine.
	Files map[string]string
	// Links maps paths in the image to what they point at.
	Links map[string]string
	// Directories are empty folders by mode.
	Directories map[string]int64
	// Texts are small files with their content.
	Texts map[string]string
}

// epoch is every file's time: the same input gives the same bytes, and so the same digest.
var epoch = time.Unix(0, 0)

// Write makes the archive; it appears under its name only when it is whole.
func (i Image) Write(file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	layer, err := os.CreateTemp(filepath.Dir(file), ".layer-*")
	if err != nil {
		return err
	}
	defer os.Remove(layer.Name())
	defer layer.Close()
	hash := sha256.New()
	if err := i.writeLayer(io.MultiWriter(layer, hash)); err != nil {
		return fmt.Errorf("image %s: %w", i.Reference, err)
	}
	archive, err := os.CreateTemp(filepath.Dir(file), ".archive-*")
	if err != nil {
		return err
	}
	defer os.Remove(archive.Name())
	defer archive.Close()
	if err := i.writeArchive(archive, layer, hex.EncodeToString(hash.Sum(nil))); err != nil {
		return fmt.Errorf("image %s: %w", i.Reference, err)
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return os.Rename(archive.Name(), file)
}

// Fingerprint changes with the definition and with the content of every file.
func (i Image) Fingerprint() (string, error) {
	hash := sha256.New()
	definition, err := json.Marshal(i)
	if err != nil {
		return "", err
	}
	hash.Write(definition)
	names := make([]string, 0, len(i.Files))
	for name := range i.Files {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		file, err := os.Open(i.Files[name])
		if err != nil {
			return "", fmt.Errorf("image %s: %w", i.Reference, err)
		}
		_, err = io.Copy(hash, file)
		file.Close()
		if err != nil {
			return "", fmt.Errorf("image %s: %w", i.Reference, err)
		}
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

func (i Image) writeArchive(to io.Writer, layer *os.File, digest string) error {
	configuration, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH,
		"os":           "linux",
		"config":       map[string]any{"Entrypoint": i.Entrypoint, "Cmd": i.Command, "Env": []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}},
		"rootfs":       map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + digest}},
	})
	if err != nil {
		return err
	}
	sum := sha256.Sum256(configuration)
	configurationName := hex.EncodeToString(sum[:]) + ".json"
	manifest, err := json.Marshal([]map[string]any{{
		"Config": configurationName, "RepoTags": []string{i.Reference}, "Layers": []string{"layer.tar"},
	}})
	if err != nil {
		return err
	}
	size, err := layer.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if _, err := layer.Seek(0, io.SeekStart); err != nil {
		return err
	}
	writer := tar.NewWriter(to)
	for _, entry := range []struct {
		name    string
		size    int64
		content io.Reader
	}{
		{"manifest.json", int64(len(manifest)), bytes.NewReader(manifest)},
		{configurationName, int64(len(configuration)), bytes.NewReader(configuration)},
		{"layer.tar", size, layer},
	} {
		if err := writer.WriteHeader(&tar.Header{Name: entry.name, Mode: 0o644, Size: entry.size, ModTime: epoch}); err != nil {
			return err
		}
		if _, err := io.Copy(writer, entry.content); err != nil {
			return err
		}
	}
	return writer.Close()
}

func (i Image) writeLayer(to io.Writer) error {
	writer := tar.NewWriter(to)
	for _, header := range i.headers() {
		source := ""
		if header.Typeflag == tar.TypeReg {
			source = header.Linkname
			header.Linkname = ""
		}
		if err := i.writeEntry(writer, header, source); err != nil {
			return err
		}
	}
	return writer.Close()
}

// headers lists the layer's entries, parents first. A regular file's Linkname names its source until it is written.
func (i Image) headers() []*tar.Header {
	entries := map[string]*tar.Header{}
	parents := func(name string) {
		for parent := path.Dir(name); parent != "." && parent != "/"; parent = path.Dir(parent) {
			if entries[parent] == nil {
				entries[parent] = &tar.Header{Typeflag: tar.TypeDir, Mode: 0o755}
			}
		}
	}
	for name, mode := range i.Directories {
		entries[name] = &tar.Header{Typeflag: tar.TypeDir, Mode: mode}
		parents(name)
	}
	for name, source := range i.Files {
		entries[name] = &tar.Header{Typeflag: tar.TypeReg, Mode: 0o755, Linkname: source}
		parents(name)
	}
	for name, text := range i.Texts {
		entries[name] = &tar.Header{Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(text))}
		parents(name)
	}
	for name, target := range i.Links {
		entries[name] = &tar.Header{Typeflag: tar.TypeSymlink, Mode: 0o777, Linkname: target}
		parents(name)
	}
	names := make([]string, 0, len(entries))
	for name := range entries {
		names = append(names, name)
	}
	sort.Strings(names)
	headers := make([]*tar.Header, 0, len(names))
	for _, name := range names {
		header := entries[name]
		header.Name = strings.TrimPrefix(name, "/")
		header.ModTime = epoch
		headers = append(headers, header)
	}
	return headers
}

func (i Image) writeEntry(writer *tar.Writer, header *tar.Header, source string) error {
	var content io.Reader
	switch {
	case source != "":
		file, err := os.Open(source)
		if err != nil {
			return err
		}
		defer file.Close()
		info, err := file.Stat()
		if err != nil {
			return err
		}
		header.Size = info.Size()
		content = file
	case header.Typeflag == tar.TypeReg:
		content = strings.NewReader(i.Texts["/"+header.Name])
	}
	if err := writer.WriteHeader(header); err != nil {
		return err
	}
	if content == nil {
		return nil
	}
	_, err := io.Copy(writer, content)
	return err
}
