package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/grpc"
)

// longestSocket is the room in sockaddr_un, less the final zero.
const longestSocket = 107

// socketOf takes the path out of an endpoint such as unix:///csi/csi.sock.
func socketOf(endpoint string) (string, error) {
	path, isUnix := strings.CutPrefix(endpoint, "unix:")
	path = "/" + strings.TrimLeft(path, "/")
	if !isUnix || path == "/" {
		return "", fmt.Errorf("--endpoint %q is not of the form unix:///csi/csi.sock", endpoint)
	}
	return path, nil
}

// listen makes the socket, and its directory. The socket of a driver that was
// killed is removed, the one of a driver that lives is not.
func listen(path string) (net.Listener, error) {
	if len(path) > longestSocket {
		return nil, fmt.Errorf("the socket path %s has %d bytes, and the kernel takes %d: use a shorter directory", path, len(path), longestSocket)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, err
	}
	if conn, err := net.DialTimeout("unix", path, time.Second); err == nil {
		conn.Close()
		return nil, fmt.Errorf("somebody already serves %s: end that driver first", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return net.Listen("unix", path)
}

// shutDown lets running calls finish for a moment, then ends them. Closing a
// listener removes its socket.
func shutDown(s *grpc.Server) {
	finished := make(chan struct{})
	go func() {
		s.GracefulStop()
		close(finished)
	}()
	select {
	case <-finished:
	case <-time.After(2 * time.Second):
		s.Stop()
		<-finished
	}
}
