package image

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func read(t *testing.T, from io.Reader) (names []string, content map[string][]byte, headers map[string]*tar.Header) {
	t.Helper()
	content, headers = map[string][]byte{}, map[string]*tar.Header{}
	for reader := tar.NewReader(from); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return names, content, headers
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, header.Name)
		content[header.Name], headers[header.Name] = data, header
	}
}

func example(t *testing.T) Image {
	t.Helper()
	program := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(program, []byte("binary"), 0o600); err != nil {
		t.Fatal(err)
	}
	return Image{
		Reference:   "example.test/tool:v1",
		Entrypoint:  []string{"/opt/tool"},
		Files:       map[string]string{"/opt/tool": program},
		Links:       map[string]string{"/bin/sh": "busybox"},
		Directories: map[string]int64{"/tmp": 0o1777},
		Texts:       map[string]string{"/etc/passwd": "root"},
	}
}

func TestArchiveHoldsWhatItNames(t *testing.T) {
	file := filepath.Join(t.TempDir(), "image.tar")
	if err := example(t).Write(file); err != nil {
		t.Fatal(err)
	}
	archive, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, parts, _ := read(t, bytes.NewReader(archive))
	var manifest []struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	if err := json.Unmarshal(parts["manifest.json"], &manifest); err != nil {
		t.Fatal(err)
	}
	if len(manifest) != 1 || !reflect.DeepEqual(manifest[0].RepoTags, []string{"example.test/tool:v1"}) {
		t.Fatalf("manifest is %+v", manifest)
	}
	var configuration struct {
		Config struct{ Entrypoint []string }
		RootFS struct {
			DiffIDs []string `json:"diff_ids"`
		}
	}
	if err := json.Unmarshal(parts[manifest[0].Config], &configuration); err != nil {
		t.Fatal(err)
	}
	layer := parts[manifest[0].Layers[0]]
	sum := sha256.Sum256(layer)
	if want := "sha256:" + hex.EncodeToString(sum[:]); !reflect.DeepEqual(configuration.RootFS.DiffIDs, []string{want}) {
		t.Errorf("diff_ids are %v, the layer's digest is %s", configuration.RootFS.DiffIDs, want)
	}
	names, content, headers := read(t, bytes.NewReader(layer))
	if want := []string{"bin", "bin/sh", "etc", "etc/passwd", "opt", "opt/tool", "tmp"}; !reflect.DeepEqual(names, want) {
		t.Errorf("layer holds %v, want %v: parents first", names, want)
	}
	if string(content["opt/tool"]) != "binary" || string(content["etc/passwd"]) != "root" || headers["bin/sh"].Linkname != "busybox" {
		t.Errorf("layer holds %q and %v", content, headers["bin/sh"])
	}
}

func TestFingerprintFollowsContent(t *testing.T) {
	made := example(t)
	first, err := made.Fingerprint()
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := made.Fingerprint(); again != first {
		t.Error("the same image has two fingerprints")
	}
	if err := os.WriteFile(made.Files["/opt/tool"], []byte("other!"), 0o600); err != nil {
		t.Fatal(err)
	}
	second, _ := made.Fingerprint()
	made.Texts["/etc/passwd"] = "nobody"
	third, _ := made.Fingerprint()
	if first == second || second == third {
		t.Errorf("changes do not show: %s %s %s", first, second, third)
	}
}
