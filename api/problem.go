package api

// Problem is why a request was not done, RFC 9457. Code is stable; Detail and Hint are for people.
type Problem struct {
	Title  string   `json:"title" example:"Not Found"`
	Status int      `json:"status" example:"404"`
	Code   string   `json:"code" example:"not-held" doc:"Stable word for programs to decide on."`
	Detail string   `json:"detail" doc:"What failed."`
	Hint   string   `json:"hint,omitempty" doc:"What to do next."`
	Fields []string `json:"fields,omitempty" doc:"Which parts of the request were refused, and why."`
}

// Error is what failed.
func (p *Problem) Error() string { return p.Detail }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is that of a problem.
func (p *Problem) ContentType(string) string { return "application/problem+json" }
