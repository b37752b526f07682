package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	"k8s.io/klog/v2"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"

	"snapready/ci/cluster/driver/store"
)

// version is set by -ldflags "-X main.version=…".
var version = "dev"

type settings struct {
	endpoint     string
	name         string
	node         string
	mode         string
	data         string
	registration string
	capabilities string
	topology     string
	capacity     int64
}

func main() {
	var s settings
	flag.StringVar(&s.endpoint, "endpoint", "unix:///csi/csi.sock", "socket to serve CSI on")
	flag.StringVar(&s.name, "name", "csi.snapready.test", "name of the driver")
	flag.StringVar(&s.node, "node", "", "name of the node; needed unless --mode is controller")
	flag.StringVar(&s.mode, "mode", "all", "services to offer: controller, node or all")
	flag.StringVar(&s.data, "data", "", "directory of volumes and snapshots, common to all nodes")
	flag.StringVar(&s.registration, "registration", "", "the kubelet's plugins_registry directory; if given, the driver registers itself")
	flag.StringVar(&s.capabilities, "capabilities", allCapabilities, "optional abilities to offer")
	flag.StringVar(&s.topology, "topology", "none", "none: every node reaches every volume; node: only the one it was made for does")
	flag.Int64Var(&s.capacity, "capacity", 0, "bytes that volumes may be promised in all; 0: no limit")
	showVersion := flag.Bool("version", false, "print the version and exit")
	klog.InitFlags(nil)
	flag.Parse()
	if *showVersion {
		fmt.Println(version)
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, s); err != nil {
		fmt.Fprintln(os.Stderr, "snapready-csi-driver:", err)
		os.Exit(1)
	}
}

// newDriver checks the settings.
func newDriver(s settings) (*driver, error) {
	c, err := parseCapabilities(s.capabilities)
	switch {
	case err != nil:
		return nil, err
	case flag.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q", flag.Arg(0))
	case !slices.Contains([]string{"controller", "node", "all"}, s.mode):
		return nil, fmt.Errorf("--mode %q is neither controller, node nor all", s.mode)
	case s.mode != "controller" && s.node == "":
		return nil, fmt.Errorf("--node is needed with --mode %s", s.mode)
	case !filepath.IsAbs(s.data):
		return nil, fmt.Errorf("--data %q must be an absolute path", s.data)
	case s.topology != "none" && s.topology != "node":
		return nil, fmt.Errorf("--topology %q is neither none nor node", s.topology)
	case s.capacity < 0:
		return nil, errors.New("--capacity must not be negative")
	}
	return &driver{
		name: s.name, node: s.node, capabilities: c,
		byNode: s.topology == "node", capacity: s.capacity, store: store.Store{Dir: filepath.Clean(s.data)},
	}, nil
}

// run serves until ctx ends.
func run(ctx context.Context, s settings) error {
	d, err := newDriver(s)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.data, 0o750); err != nil {
		return err
	}
	socket, err := socketOf(s.endpoint)
	if err != nil {
		return err
	}
	listener, err := listen(socket)
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.UnaryInterceptor(answer))
	csi.RegisterIdentityServer(server, d)
	if s.mode != "node" {
		csi.RegisterControllerServer(server, d)
		if d.capabilities["group-snapshots"] {
			csi.RegisterGroupControllerServer(server, d)
		}
	}
	if s.mode != "controller" {
		csi.RegisterNodeServer(server, d)
	}
	serving, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	serve := func(server *grpc.Server, listener net.Listener) {
		if err := server.Serve(listener); err != nil {
			cancel(err)
		}
	}
	go serve(server, listener)
	defer shutDown(server)
	klog.InfoS("Serving", "driver", s.name, "version", version, "mode", s.mode, "node", s.node, "socket", socket, "capabilities", d.capabilities)

	// Only now: the kubelet calls the driver as soon as it sees this socket.
	if s.registration != "" {
		listener, err := listen(filepath.Join(s.registration, s.name+"-reg.sock"))
		if err != nil {
			return err
		}
		kubelet := grpc.NewServer()
		refused := fmt.Errorf("the kubelet refused to register driver %s", s.name)
		registration.RegisterRegistrationServer(kubelet, &registrar{name: s.name, socket: socket, failed: func() { cancel(refused) }})
		go serve(kubelet, listener)
		defer shutDown(kubelet)
	}
	<-serving.Done()
	if ctx.Err() != nil {
		return nil // told to end
	}
	return context.Cause(serving)
}
