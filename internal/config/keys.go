package config

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"cloudsso_exporter/internal/reason"
)

// A key path names a value as people do: directories[0].filter.target_id.

func parent(path string) string      { return path[:max(0, strings.LastIndexAny(path, ".["))] }
func join(path, key string) string   { return strings.TrimPrefix(path+"."+key, ".") }
func item(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

// keysOf returns the key of each field of a struct: its yaml tag, or its name in snake case (OIDCTokenFile:
// oidc_token_file). It is empty for a field that is not in the file.
func keysOf(t reflect.Type) []string {
	border := regexp.MustCompile(`([a-z])([A-Z])|([A-Z])([A-Z][a-z])`)
	var keys []string
	for f := range t.Fields() {
		key, tagged := f.Tag.Lookup("yaml")
		if !tagged {
			key = strings.ToLower(border.ReplaceAllString(f.Name, "${1}${3}_${2}${4}"))
		}
		keys = append(keys, strings.TrimPrefix(key, "-"))
	}
	return keys
}

// keyPaths returns the paths of all keys that a file may have; [] stands for an entry of a list.
func keyPaths() (paths []string) {
	full := Config{FailureReasons: FailureReasons{Rules: make([]reason.Rule, 1)}, Directories: make([]Directory, 1)}
	walk(reflect.ValueOf(full), "", func(path, _ string, _ reflect.Value) {
		paths = append(paths, strings.ReplaceAll(path, "[0]", "[]"))
	})
	return paths
}

// walk visits the value of every key below v.
func walk(v reflect.Value, path string, visit func(path, key string, v reflect.Value)) {
	switch v.Kind() {
	case reflect.Struct:
		for i, key := range keysOf(v.Type()) {
			if key != "" {
				visit(join(path, key), key, v.Field(i))
				walk(v.Field(i), join(path, key), visit)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), item(path, i), visit)
		}
	}
}
