package main

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

func client(t *testing.T, socket string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient("unix:"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.WaitForReady(true)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// shortDir leaves room for a socket's name, which t.TempDir does not always.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "csi")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// start runs a node driver until the returned function is called.
func start(t *testing.T, dir string) (stop func() error, registry, socket string) {
	t.Helper()
	socket = filepath.Join(dir, "plugins", "csi.sock")
	registry = filepath.Join(dir, "plugins_registry", "csi.snapready.test-reg.sock")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, settings{
			name: "csi.snapready.test", node: "node-1", mode: "node", data: filepath.Join(dir, "data"), topology: "none",
			endpoint: "unix://" + socket, registration: filepath.Dir(registry), capabilities: allCapabilities,
		})
	}()
	return func() error { cancel(); return <-ended }, registry, socket
}

func TestRegistration(t *testing.T) {
	dir := shortDir(t)
	stop, registry, socket := start(t, dir)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	kubelet := registration.NewRegistrationClient(client(t, registry))
	info, err := kubelet.GetInfo(ctx, &registration.InfoRequest{})
	if err != nil || info.GetType() != "CSIPlugin" || info.GetName() != "csi.snapready.test" || info.GetEndpoint() != socket {
		t.Fatalf("info = %v, %v", info, err)
	}
	if _, err := kubelet.NotifyRegistrationStatus(ctx, &registration.RegistrationStatus{PluginRegistered: true}); err != nil {
		t.Fatal(err)
	}
	node := csi.NewNodeClient(client(t, info.GetEndpoint()))
	if answer, err := node.NodeGetInfo(ctx, &csi.NodeGetInfoRequest{}); err != nil || answer.GetNodeId() != "node-1" {
		t.Errorf("node info = %v, %v", answer, err)
	}
	_, err = csi.NewControllerClient(client(t, socket)).CreateVolume(ctx, &csi.CreateVolumeRequest{Name: "v"})
	if status.Code(err) != codes.Unimplemented {
		t.Errorf("a node driver creates volumes: %v", err)
	}
	_, err = node.NodeUnstageVolume(ctx, &csi.NodeUnstageVolumeRequest{})
	if status.Code(err) != codes.InvalidArgument {
		t.Errorf("code over the wire: %v", err)
	}
	if err := stop(); err != nil {
		t.Errorf("told to end: %v", err)
	}
	for _, path := range []string{registry, socket} {
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left: %v", path, err)
		}
	}
}

func TestRefusedRegistrationEndsTheDriver(t *testing.T) {
	stop, registry, _ := start(t, shortDir(t))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	kubelet := registration.NewRegistrationClient(client(t, registry))
	// The answer may be lost with the driver.
	kubelet.NotifyRegistrationStatus(ctx, &registration.RegistrationStatus{Error: "no"})
	time.Sleep(100 * time.Millisecond)
	if err := stop(); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("driver ended with %v", err)
	}
}

func TestListen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "csi.sock")
	first, err := listen(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := listen(path); err == nil || !strings.Contains(err.Error(), "already serves") {
		t.Errorf("beside a living driver: %v", err)
	}
	first.(*net.UnixListener).SetUnlinkOnClose(false) // as one that was killed
	first.Close()
	second, err := listen(path)
	if err != nil {
		t.Fatalf("after a killed driver: %v", err)
	}
	second.Close()
	if _, err := listen("/" + strings.Repeat("x", longestSocket)); err == nil || !strings.Contains(err.Error(), "shorter") {
		t.Errorf("long path: %v", err)
	}
}

func TestSocketOf(t *testing.T) {
	for endpoint, want := range map[string]string{"unix:///csi/csi.sock": "/csi/csi.sock", "unix:/csi/csi.sock": "/csi/csi.sock", "tcp://x": "", "unix:": "", "/csi.sock": ""} {
		if got, err := socketOf(endpoint); (err != nil) != (want == "") || err == nil && got != want {
			t.Errorf("%s: %q, %v", endpoint, got, err)
		}
	}
}

func TestSettings(t *testing.T) {
	good := settings{name: "n", node: "node-1", mode: "all", data: "/data", topology: "none"}
	if _, err := newDriver(good); err != nil {
		t.Error(err)
	}
	for word, change := range map[string]func(*settings){
		"--mode":         func(s *settings) { s.mode = "both" },
		"--node":         func(s *settings) { s.node = "" },
		"--data":         func(s *settings) { s.data = "relative" },
		"--topology":     func(s *settings) { s.topology = "zone" },
		"--capacity":     func(s *settings) { s.capacity = -1 },
		"--capabilities": func(s *settings) { s.capabilities = "all" },
	} {
		bad := good
		change(&bad)
		if _, err := newDriver(bad); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v", word, err)
		}
	}
}
