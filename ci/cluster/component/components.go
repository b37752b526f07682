package component

import (
	"fmt"
	"net"

	"snapready/ci/cluster/layout"
	"snapready/ci/cluster/process"
)

// Component is a program of the cluster that runs as a process of its own.
type Component struct {
	process.Spec
	// probe is asked until it finds nothing wrong.
	probe func() error
}

// searchPath is where kubelet and containerd find mount, losetup, runc and the shim, whoever starts them.
const searchPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

func specification(l layout.Layout, name, program string, files []string, arguments ...string) process.Spec {
	return process.Spec{
		Name: name, Program: program, Args: arguments, Files: files,
		Env: []string{searchPath, "HOME=/root"}, Log: l.Log(name),
	}
}

// Etcd stores the cluster.
func Etcd(l layout.Layout) Component {
	configuration := l.Configuration("etcd.yaml")
	return Component{
		specification(l, "etcd", l.Program("etcd"), []string{configuration}, "--config-file="+configuration),
		httpProbe(layout.EtcdURL + "/health"),
	}
}

// APIServer serves the cluster.
func APIServer(l layout.Layout) Component {
	audit := l.Configuration("audit.yaml")
	return Component{
		specification(l, "kube-apiserver", l.Program("kube-apiserver"), []string{audit, l.PKI("apiserver.crt"), l.PKI("ca.crt")},
			"--etcd-servers="+layout.EtcdURL,
			"--bind-address="+layout.APIServerAddress,
			"--advertise-address="+layout.APIServerAddress,
			fmt.Sprintf("--secure-port=%d", layout.APIServerPort),
			"--service-cluster-ip-range="+layout.ServiceRange,
			"--authorization-mode=Node,RBAC",
			"--enable-admission-plugins=NodeRestriction",
			"--allow-privileged=true",
			"--client-ca-file="+l.PKI("ca.crt"),
			"--tls-cert-file="+l.PKI("apiserver.crt"),
			"--tls-private-key-file="+l.PKI("apiserver.key"),
			"--kubelet-certificate-authority="+l.PKI("ca.crt"),
			"--kubelet-client-certificate="+l.PKI("apiserver-kubelet-client.crt"),
			"--kubelet-client-key="+l.PKI("apiserver-kubelet-client.key"),
			"--kubelet-preferred-address-types=InternalIP",
			"--service-account-issuer=https://kubernetes.default.svc",
			"--service-account-key-file="+l.PKI("service-account.pub"),
			"--service-account-signing-key-file="+l.PKI("service-account.key"),
			"--requestheader-client-ca-file="+l.PKI("front-proxy-ca.crt"),
			"--requestheader-allowed-names=front-proxy-client",
			"--requestheader-extra-headers-prefix=X-Remote-Extra-",
			"--requestheader-group-headers=X-Remote-Group",
			"--requestheader-username-headers=X-Remote-User",
			"--proxy-client-cert-file="+l.PKI("front-proxy-client.crt"),
			"--proxy-client-key-file="+l.PKI("front-proxy-client.key"),
			"--audit-policy-file="+audit,
			"--audit-log-path="+l.AuditLog(),
			"--profiling=false",
		),
		apiServerProbe(l),
	}
}

// ControllerManager runs Kubernetes' own controllers.
func ControllerManager(l layout.Layout) Component {
	kubeconfig := l.Configuration("kube-controller-manager.kubeconfig")
	return Component{
		specification(l, "kube-controller-manager", l.Program("kube-controller-manager"), []string{kubeconfig},
			"--kubeconfig="+kubeconfig,
			"--authentication-kubeconfig="+kubeconfig,
			"--authorization-kubeconfig="+kubeconfig,
			"--bind-address=127.0.0.1",
			"--leader-elect=false",
			"--use-service-account-credentials=true",
			"--service-account-private-key-file="+l.PKI("service-account.key"),
			"--root-ca-file="+l.PKI("ca.crt"),
			"--profiling=false",
		),
		httpProbe("https://127.0.0.1:10257/healthz"),
	}
}

// Scheduler places pods.
func Scheduler(l layout.Layout) Component {
	kubeconfig := l.Configuration("kube-scheduler.kubeconfig")
	return Component{
		specification(l, "kube-scheduler", l.Program("kube-scheduler"), []string{kubeconfig},
			"--kubeconfig="+kubeconfig,
			"--authentication-kubeconfig="+kubeconfig,
			"--authorization-kubeconfig="+kubeconfig,
			"--bind-address=127.0.0.1",
			"--leader-elect=false",
			"--profiling=false",
		),
		httpProbe("https://127.0.0.1:10259/readyz"),
	}
}

// Proxy gives pods the service address of the API server.
func Proxy(l layout.Layout) Component {
	configuration := l.Configuration("kube-proxy.yaml")
	return Component{
		specification(l, "kube-proxy", l.Program("kube-proxy"), []string{configuration, l.Configuration("kube-proxy.kubeconfig")},
			"--config="+configuration),
		httpProbe("http://127.0.0.1:10256/livez"),
	}
}

// Containerd runs a node's containers.
func Containerd(l layout.Layout, node layout.Node) Component {
	name := node.Component("containerd")
	configuration := l.Configuration(name + ".toml")
	return Component{
		specification(l, name, "/usr/bin/containerd", []string{configuration}, "--config="+configuration),
		func() error {
			connection, err := net.Dial("unix", node.ContainerdSocket())
			if err != nil {
				return err
			}
			return connection.Close()
		},
	}
}

// Kubelet makes a node of the machine.
func Kubelet(l layout.Layout, node layout.Node) Component {
	name := node.Component("kubelet")
	configuration, kubeconfig := l.Configuration(name+".yaml"), l.Configuration(name+".kubeconfig")
	return Component{
		specification(l, name, l.Program("kubelet"), []string{configuration, kubeconfig},
			"--config="+configuration,
			"--kubeconfig="+kubeconfig,
			"--root-dir="+node.Kubelet(),
			"--hostname-override="+node.Name(),
			"--node-ip="+node.Address(),
		),
		httpProbe(fmt.Sprintf("http://127.0.0.1:%d/healthz", node.KubeletHealthPort())),
	}
}

// All lists every component in the order in which they can be ended.
func All(l layout.Layout, nodes []layout.Node) []Component {
	var all []Component
	for _, node := range nodes {
		all = append(all, Kubelet(l, node))
	}
	all = append(all, Proxy(l), Scheduler(l), ControllerManager(l))
	for _, node := range nodes {
		all = append(all, Containerd(l, node))
	}
	return append(all, APIServer(l), Etcd(l))
}
