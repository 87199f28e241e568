package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// refusal is an error of the API.
type refusal struct {
	Code, Message string
}

func refusef(code, format string, args ...any) *refusal {
	return &refusal{Code: code, Message: fmt.Sprintf(format, args...)}
}

// errorBody is the JSON of an error.
type errorBody struct {
	RequestID string `json:"RequestId"`
	Message   string
	Recommend string
	HostID    string `json:"HostId"`
	Code      string
}

// usualStatus is the HTTP status that comes with a code, most of the time.
func usualStatus(code string) int {
	switch code {
	case "InvalidAccessKeyId.NotFound", "EntityNotExists.Directory", "InvalidAction.NotFound":
		return http.StatusNotFound
	case "NoPermission", "Forbidden", "UnsupportedHTTPMethod", "InvalidAccessKeyId.Inactive":
		return http.StatusForbidden
	case "InternalError":
		return http.StatusInternalServerError
	case "ServiceUnavailable":
		return http.StatusServiceUnavailable
	case "Throttling", "Throttling.Api":
		return http.StatusTooManyRequests
	default:
		// Throttling.User too: seen with 400.
		return http.StatusBadRequest
	}
}

// usualMessage is what the API says with a code that a fault plays.
func usualMessage(code string) string {
	switch code {
	case "Throttling.User":
		return "Request was denied due to user flow control."
	case "Throttling", "Throttling.Api":
		return "Request was denied due to request throttling."
	case "ServiceUnavailable":
		return "The request has failed due to a temporary failure of the server."
	case "InternalError":
		return "The request processing has failed due to some unknown error, exception or failure."
	case "NoPermission":
		return "You are not authorized to do this action."
	case "InvalidAccessKeyId.NotFound":
		return "Specified access key is not found."
	case "EntityNotExists.Directory":
		return "The directory does not exist."
	default:
		return "The request was refused."
	}
}

func (s *Server) refuse(w http.ResponseWriter, r *http.Request, refused *refusal) {
	s.writeError(w, r, refused, usualStatus(refused.Code))
}

func (s *Server) writeError(w http.ResponseWriter, r *http.Request, refused *refusal, status int) {
	id := newRequestID()
	body, err := json.Marshal(errorBody{
		RequestID: id,
		Message:   refused.Message,
		Recommend: "https://api.aliyun.com/troubleshoot?q=" + refused.Code + "&product=cloudsso",
		HostID:    r.Host,
		Code:      refused.Code,
	})
	if err != nil {
		panic(err) // strings alone: cannot happen
	}
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.Header().Set("X-Acs-Request-Id", id)
	w.WriteHeader(status)
	w.Write(body)
}
