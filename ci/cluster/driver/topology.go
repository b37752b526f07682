package main

import (
	"slices"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const topologyKey = "topology.csi.snapready.test/node"

func topologyOf(node string) *csi.Topology {
	return &csi.Topology{Segments: map[string]string{topologyKey: node}}
}

// chooseNode is the node that a new volume is reached from, of those the CO
// accepts. Content of another node cannot be had: node-local storage restores
// and clones only where the source is.
func (d *driver) chooseNode(accepted *csi.TopologyRequirement, sourceNode string) (string, error) {
	if !d.byNode {
		return "", nil
	}
	requisite, preferred := nodesOf(accepted.GetRequisite()), nodesOf(accepted.GetPreferred())
	candidates := append(slices.Clone(preferred), requisite...)
	switch {
	case sourceNode != "" && (len(candidates) == 0 || slices.Contains(candidates, sourceNode)):
		return sourceNode, nil
	case sourceNode != "":
		return "", status.Errorf(codes.ResourceExhausted,
			"the source is on node %s and storage is node-local, so the volume cannot be made on any of the nodes %q: let the pod run on node %s",
			sourceNode, candidates, sourceNode)
	case len(candidates) > 0:
		return candidates[0], nil
	case d.node != "":
		return d.node, nil
	}
	return "", status.Errorf(codes.InvalidArgument,
		"the request names no node by %s, and storage is node-local: run csi-provisioner with the node plugin registered, or the driver with --topology none", topologyKey)
}

func nodesOf(topologies []*csi.Topology) []string {
	var nodes []string
	for _, t := range topologies {
		if node := t.GetSegments()[topologyKey]; node != "" {
			nodes = append(nodes, node)
		}
	}
	return nodes
}
