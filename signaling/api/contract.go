package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// OpenAPI is the contract of this API as an OpenAPI 3.1 document, made from the
// Go types without a running server.
func OpenAPI() ([]byte, error) {
	return contractOf(new(API).register(http.NewServeMux()))
}

func contractOf(h huma.API) ([]byte, error) {
	data, err := json.MarshalIndent(h.OpenAPI(), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write OpenAPI document: %w", err)
	}
	return data, nil
}

// serveContract answers with the contract of h. Unlike everything else here it may be
// kept, as long as it is asked whether it still holds.
func (a *API) serveContract(h huma.API) http.HandlerFunc {
	contract := sync.OnceValues(func() ([]byte, error) { return contractOf(h) })
	return func(w http.ResponseWriter, r *http.Request) {
		data, err := contract()
		if err != nil {
			sendProblem(w, a.internal(r.Context(), "err", err))
			return
		}
		w.Header().Set("Content-Type", "application/openapi+json")
		w.Header().Set("Cache-Control", "no-cache")
		sum := sha256.Sum256(data)
		w.Header().Set("ETag", `"`+base64.RawURLEncoding.EncodeToString(sum[:12])+`"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}
}
