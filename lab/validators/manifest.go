package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	structuralcel "k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	apimachineryvalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/validation/field"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/client-go/kubernetes/scheme"
	sigsyaml "sigs.k8s.io/yaml"

	"k3os-migrate.lab/judge"
)

// customKind is how an API server judges one version of a custom resource.
type customKind struct {
	structural *structural.Structural
	validator  validation.SchemaValidator
	rules      *structuralcel.Validator
	namespaced bool
}

// manifestBench judges Kubernetes objects: custom ones as the API server does, built-in ones by their Go types.
func manifestBench(flags *flag.FlagSet) func() (judge.Judge, error) {
	pattern := flags.String("crds", "", "files with CustomResourceDefinitions, as a shell pattern")
	return func() (judge.Judge, error) {
		kinds, err := readCRDs(*pattern)
		if err != nil {
			return nil, err
		}
		builtIn := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
		return func(_ string, data []byte, v *judge.Verdict) {
			count := 0
			err := eachDocument(data, func(document []byte) error {
				count++
				judgeObject(fmt.Sprintf("document %d", count), document, kinds, builtIn, v)
				return nil
			})
			switch {
			case err != nil:
				v.Reject("%v", err)
			case count == 0:
				v.Reject("there is no object in it")
			}
		}, nil
	}
}

func judgeObject(
	where string, document []byte, kinds map[schema.GroupVersionKind]customKind, builtIn runtime.Decoder, v *judge.Verdict,
) {
	// Strict: a key given twice is refused.
	text, err := sigsyaml.YAMLToJSONStrict(document)
	if err != nil {
		v.Reject("%s: %v", where, err)
		return
	}
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(text); err != nil {
		v.Reject("%s: %v", where, err)
		return
	}
	gvk := object.GroupVersionKind()
	where = fmt.Sprintf("%s, %s %q", where, gvk.Kind, object.GetName())
	if kind, ok := kinds[gvk]; ok {
		for _, remark := range kind.remarks(object) {
			v.Reject("%s: %s", where, remark)
		}
		return
	}
	if !scheme.Scheme.Recognizes(gvk) {
		v.Reject("%s: %s is no built-in kind, and no CRD of it was given", where, gvk)
		return
	}
	if _, _, err := builtIn.Decode(text, nil, nil); err != nil {
		v.Reject("%s: %v", where, err)
	}
}

// remarks is what the API server does on create, in its order.
func (k customKind) remarks(object *unstructured.Unstructured) []string {
	content := object.UnstructuredContent()
	remarks := []string{}
	options := structural.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}
	for _, unknown := range pruning.PruneWithOptions(content, k.structural, true, options) {
		remarks = append(remarks, fmt.Sprintf("unknown field %q", unknown))
	}
	defaulting.Default(content, k.structural)
	namespaced := k.namespaced && object.GetNamespace() != ""
	errs := apimachineryvalidation.ValidateObjectMetaAccessor(
		object, namespaced, apimachineryvalidation.NameIsDNSSubdomain, field.NewPath("metadata"))
	errs = append(errs, validation.ValidateCustomResource(nil, content, k.validator)...)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, k.structural, content)...)
	if k.rules != nil {
		broken, _ := k.rules.Validate(
			context.Background(), nil, k.structural, content, nil, celconfig.RuntimeCELCostBudget)
		errs = append(errs, broken...)
	}
	for _, err := range errs {
		remarks = append(remarks, err.Error())
	}
	return remarks
}

// readCRDs reads every CustomResourceDefinition in the files. None at all is an error: nothing would be judged by them.
func readCRDs(pattern string) (map[schema.GroupVersionKind]customKind, error) {
	kinds := map[schema.GroupVersionKind]customKind{}
	if pattern == "" {
		return kinds, nil
	}
	files, err := filepath.Glob(pattern)
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if err := eachDocument(data, func(document []byte) error { return addCRD(document, kinds) }); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	if len(kinds) == 0 {
		return nil, fmt.Errorf("%s: no CustomResourceDefinition", pattern)
	}
	return kinds, nil
}

func addCRD(document []byte, kinds map[schema.GroupVersionKind]customKind) error {
	var published apiextensionsv1.CustomResourceDefinition
	if err := sigsyaml.Unmarshal(document, &published); err != nil {
		return err
	}
	if published.Kind != "CustomResourceDefinition" {
		return nil
	}
	apiextensionsv1.SetDefaults_CustomResourceDefinition(&published)
	apiextensionsv1.SetDefaults_CustomResourceDefinitionSpec(&published.Spec)
	var crd apiextensions.CustomResourceDefinition
	err := apiextensionsv1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(&published, &crd, nil)
	if err != nil {
		return err
	}
	for _, version := range crd.Spec.Versions {
		properties := version.Schema
		if properties == nil {
			properties = crd.Spec.Validation
		}
		shape, err := structural.NewStructural(properties.OpenAPIV3Schema)
		if err != nil {
			return err
		}
		validator, _, err := validation.NewSchemaValidator(properties.OpenAPIV3Schema)
		if err != nil {
			return err
		}
		gvk := schema.GroupVersionKind{Group: crd.Spec.Group, Version: version.Name, Kind: crd.Spec.Names.Kind}
		kinds[gvk] = customKind{
			structural: shape,
			validator:  validator,
			rules:      structuralcel.NewValidator(shape, true, celconfig.PerCallLimit),
			namespaced: crd.Spec.Scope == apiextensions.NamespaceScoped,
		}
	}
	return nil
}

// eachDocument calls do for every document of a YAML stream that is not empty.
func eachDocument(data []byte, do func([]byte) error) error {
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(bytes.TrimSpace(document)) == 0 {
			continue
		}
		if err := do(document); err != nil {
			return err
		}
	}
}
