package objects

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// parse reads the objects of a manifest, which may hold several YAML documents.
func parse(manifest []byte) ([]*unstructured.Unstructured, error) {
	var list []*unstructured.Unstructured
	documents := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(manifest)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		content, err := yaml.ToJSON(document)
		if err != nil {
			return nil, err
		}
		// A document of comments alone.
		if string(bytes.TrimSpace(content)) == "null" {
			continue
		}
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(content); err != nil {
			return nil, fmt.Errorf("document %d: %w", len(list)+1, err)
		}
		list = append(list, object)
	}
}
