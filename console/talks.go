package console

import (
	"context"

	"detente/console/cases"
	"detente/console/talks"
)

// doTalk does what a form on the pages of consultations and groups says.
func doTalk(v *visit) (string, page, error) {
	to, again, err := talks.Do(v.ctx, v.desk(), v.r)
	switch {
	case err != nil:
		return "", nil, err
	case again == nil:
		return to, nil, nil
	}
	return "", &sheet[talks.Again]{In: again, name: again.Screen()}, nil
}

// saved is a download that another package makes.
func saved(make func(context.Context, *cases.Desk) (name, mediaType string, content []byte, err error)) func(*visit) (string, string, []byte, error) {
	return func(v *visit) (string, string, []byte, error) { return make(v.ctx, v.desk()) }
}
