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

// usual is the HTTP status and the message that come with a code, most of the time.
func usual(code string) (status int, message string) {
	switch code {
	case "Throttling.User": // seen with 400
		return http.StatusBadRequest, "Request was denied due to user flow control."
	case "Throttling", "Throttling.Api":
		return http.StatusTooManyRequests, "Request was denied due to request throttling."
	case "ServiceUnavailable":
		return http.StatusServiceUnavailable, "The request has failed due to a temporary failure of the server."
	case "InternalError":
		return http.StatusInternalServerError, "The request processing has failed due to some unknown error, exception or failure."
	case "NoPermission", "UnsupportedHTTPMethod", "InvalidAccessKeyId.Inactive":
		return http.StatusForbidden, "You are not authorized to do this action."
	case "InvalidAccessKeyId.NotFound":
		return http.StatusNotFound, "Specified access key is not found."
	case "EntityNotExists.Directory", "InvalidAction.NotFound":
		return http.StatusNotFound, "The directory does not exist."
	default:
		return http.StatusBadRequest, "The request was refused."
	}
}

// refuse sends the refusal, under its usual status when status is 0.
func refuse(w http.ResponseWriter, r *http.Request, refused *refusal, status int) {
	if status == 0 {
		status, _ = usual(refused.Code)
	}
	id := newRequestID()
	body, _ := json.Marshal(map[string]string{ // strings alone: cannot fail
		"RequestId": id,
		"Message":   refused.Message,
		"Recommend": "https://api.aliyun.com/troubleshoot?q=" + refused.Code + "&product=cloudsso",
		"HostId":    r.Host,
		"Code":      refused.Code,
	})
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.Header().Set("X-Acs-Request-Id", id)
	w.WriteHeader(status)
	w.Write(body)
}
