// Command largeapi is an API server that holds many objects and nothing else: ci/bench/large measures against it how
// snapready and kubectl read large lists. Its pages are written once, so that what is measured is the reader.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
)

const snapshots = "/apis/snapshot.storage.k8s.io/v1"

type object = map[string]any

func main() {
	objects := flag.Int("objects", 10000, "claims, volumes, VolumeSnapshots and VolumeSnapshotContents, of each")
	pods := flag.Int("pods", 10000, "pods")
	flag.Parse()
	server := &server{many: map[string]*list{}}
	for path, kind := range map[string]struct {
		kind string
		make func(int) object
	}{
		"/api/v1/persistentvolumeclaims":      {"PersistentVolumeClaim", claim},
		"/api/v1/persistentvolumes":           {"PersistentVolume", volume},
		snapshots + "/volumesnapshots":        {"VolumeSnapshot", volumeSnapshot},
		snapshots + "/volumesnapshotcontents": {"VolumeSnapshotContent", content},
		"/api/v1/pods":                        {"Pod", pod},
	} {
		count := *objects
		if kind.kind == "Pod" {
			count = *pods
		}
		server.many[path] = newList(kind.kind, count, kind.make)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("http://" + listener.Addr().String())
	log.Fatal(http.Serve(listener, server))
}

// list is a kind's objects, in pages that are written when the limit of a reader is known.
type list struct {
	kind    string
	objects []json.RawMessage
	pages   map[string][]byte
}

func newList(kind string, count int, make func(int) object) *list {
	made := &list{kind: kind, pages: map[string][]byte{}}
	for index := range count {
		made.objects = append(made.objects, encode(make(index)))
	}
	// The limits of snapready and of kubectl.
	for at := 0; at == 0 || at < count; at += 500 {
		made.page(at, 500)
	}
	return made
}

func (l *list) page(at, limit int) []byte {
	key := fmt.Sprint(at, " ", limit)
	if page, written := l.pages[key]; written {
		return page
	}
	metadata := object{"resourceVersion": "1"}
	end := len(l.objects)
	if limit > 0 && at+limit < end {
		end = at + limit
		metadata["continue"] = strconv.Itoa(end)
		metadata["remainingItemCount"] = len(l.objects) - end
	}
	page := encode(object{"kind": l.kind + "List", "apiVersion": "v1", "metadata": metadata, "items": l.objects[at:end]})
	l.pages[key] = page
	return page
}

type server struct{ many map[string]*list }

func (s *server) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	writer.Header().Set("Content-Type", "application/json")
	path := request.URL.Path
	if request.Method == http.MethodPost {
		writer.WriteHeader(http.StatusCreated)
		write(writer, encode(object{"status": object{"allowed": true}}))
		return
	}
	if list, found := s.many[path]; found {
		at, _ := strconv.Atoi(request.URL.Query().Get("continue"))
		limit, _ := strconv.Atoi(request.URL.Query().Get("limit"))
		if at > len(list.objects) {
			at = len(list.objects)
		}
		write(writer, list.page(at, limit))
		return
	}
	if answer, found := single(path); found {
		write(writer, encode(answer))
		return
	}
	writer.WriteHeader(http.StatusNotFound)
	write(writer, encode(object{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404, "reason": "NotFound"}))
}

func write(writer http.ResponseWriter, body []byte) {
	if _, err := writer.Write(body); err != nil {
		log.Print(err)
	}
}

func encode(value any) []byte {
	encoded, err := json.Marshal(value)
	if err != nil {
		log.Fatal(err)
	}
	return encoded
}

// single answers what is no large list: discovery, and lists of a few objects or none.
func single(path string) (object, bool) {
	group := object{"name": "snapshot.storage.k8s.io", "versions": []object{{"groupVersion": "snapshot.storage.k8s.io/v1", "version": "v1"}},
		"preferredVersion": object{"groupVersion": "snapshot.storage.k8s.io/v1", "version": "v1"}}
	resource := func(name, kind string, namespaced bool) object {
		return object{"name": name, "singularName": strings.ToLower(kind), "namespaced": namespaced, "kind": kind, "verbs": []string{"get", "list"}}
	}
	switch path {
	case "/version":
		return object{"major": "1", "minor": "36", "gitVersion": "v1.36.3"}, true
	case "/api":
		return object{"kind": "APIVersions", "versions": []string{"v1"}}, true
	case "/apis":
		return object{"kind": "APIGroupList", "apiVersion": "v1", "groups": []object{group}}, true
	case "/apis/snapshot.storage.k8s.io":
		group["kind"], group["apiVersion"] = "APIGroup", "v1"
		return group, true
	case "/api/v1":
		return object{"kind": "APIResourceList", "groupVersion": "v1", "resources": []object{
			resource("pods", "Pod", true), resource("persistentvolumeclaims", "PersistentVolumeClaim", true),
			resource("persistentvolumes", "PersistentVolume", false)}}, true
	case snapshots:
		return object{"kind": "APIResourceList", "groupVersion": "snapshot.storage.k8s.io/v1", "resources": []object{
			resource("volumesnapshots", "VolumeSnapshot", true), resource("volumesnapshotcontents", "VolumeSnapshotContent", false)}}, true
	}
	items, found := few[path]
	if !found {
		return nil, false
	}
	return object{"kind": items.kind + "List", "apiVersion": "v1", "metadata": object{}, "items": items.items}, true
}

var few = map[string]struct {
	kind  string
	items []object
}{
	snapshots + "/volumesnapshotclasses": {"VolumeSnapshotClass", []object{{"driver": driver, "deletionPolicy": "Delete",
		"metadata": object{"name": "snap", "annotations": object{"snapshot.storage.kubernetes.io/is-default-class": "true"}}}}},
	"/apis/storage.k8s.io/v1/storageclasses":                                {"StorageClass", []object{{"metadata": object{"name": "gold"}, "provisioner": driver}}},
	"/apis/storage.k8s.io/v1/csidrivers":                                    {"CSIDriver", []object{{"metadata": object{"name": driver}}}},
	"/apis/storage.k8s.io/v1/csinodes":                                      {"CSINode", []object{}},
	"/api/v1/nodes":                                                         {"Node", []object{}},
	"/apis/apps/v1/deployments":                                             {"Deployment", []object{}},
	"/apis/apps/v1/daemonsets":                                              {"DaemonSet", []object{}},
	"/apis/apps/v1/statefulsets":                                            {"StatefulSet", []object{}},
	"/apis/coordination.k8s.io/v1/leases":                                   {"Lease", []object{}},
	"/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations": {"ValidatingWebhookConfiguration", []object{}},
	"/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations":   {"MutatingWebhookConfiguration", []object{}},
	"/apis/apiregistration.k8s.io/v1/apiservices":                           {"APIService", []object{}},
	"/apis/rbac.authorization.k8s.io/v1/clusterroles":                       {"ClusterRole", []object{}},
	"/apis/rbac.authorization.k8s.io/v1/clusterrolebindings":                {"ClusterRoleBinding", []object{}},
	"/apis/rbac.authorization.k8s.io/v1/roles":                              {"Role", []object{}},
	"/apis/rbac.authorization.k8s.io/v1/rolebindings":                       {"RoleBinding", []object{}},
}
