package fields_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/language"

	"detente/api"
	"detente/console/fields"
)

// A text can be written in each language that the screens have, and in one more whose tag is given. What stands there comes back as it was written.
func TestOneAreaForEachLanguage(t *testing.T) {
	tongues := []language.Tag{language.Arabic, language.English, language.Russian}
	f := api.Form{ID: "position", Fields: []api.Field{{Name: "provision", Kind: "line"}, {Name: "texts", Kind: "texts", Max: 100}}}
	given := url.Values{"f.provision": {"article-1"}, "f.texts.en": {" Each Party\r\nshall "}, "f.texts.ru": {" "}, "f.texts.other": {"sr-Latn"}, "f.texts.words": {"Svaka strana"}}
	w, err := fields.Written(f, &http.Request{PostForm: given}, tongues)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"provision": "article-1", "texts.en": "Each Party\nshall", "texts.sr-Latn": "Svaka strana"}
	if diff := cmp.Diff(want, w.Text); diff != "" {
		t.Error(diff)
	}
	if n := fields.Words(f, w.Text); n != 1+3 {
		t.Errorf("%d words", n)
	}
	shown := fields.Of(f.Fields[1], given, tongues, "ar")
	var open []string
	for _, at := range shown.Texts {
		if at.Open {
			open = append(open, at.Tag)
		}
	}
	if diff := cmp.Diff([]string{"ar", "en", "ru", "sr-Latn"}, open); diff != "" || shown.Texts[3].Value != "Svaka strana" {
		t.Error(diff, shown.Texts)
	}
}
