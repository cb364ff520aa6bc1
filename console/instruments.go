package console

import (
	"net/http"

	"detente/api"
	"detente/console/fields"
	"detente/console/instruments"
	"detente/console/paper"
)

// doInstrument does what a form on the pages of instruments says.
func doInstrument(v *visit) (string, page, error) {
	done, err := instruments.Do(v.ctx, v.desk(), v.r.PostForm)
	switch {
	case err != nil:
		return "", nil, err
	case done.File != nil:
		return "", &sheet[*instruments.File]{In: done.File, name: "instrument"}, nil
	case done.Editor != nil:
		return "", &sheet[*instruments.Editor]{In: done.Editor, name: "provision"}, nil
	case done.New != nil:
		return "", &sheet[*instruments.New]{In: done.New, name: "instrument.new"}, nil
	}
	return done.To, nil, nil
}

func giveSeal(v *visit) (string, string, []byte, error) { return instruments.SealFile(v.ctx, v.desk()) }

// compareInstrument answers the editor's script: how what is being written differs from what stands.
func (s *Server) compareInstrument(w http.ResponseWriter, r *http.Request) {
	v := s.enter(w, r)
	if v == nil {
		return
	}
	err := parse(r)
	if err == nil {
		var p *instruments.Preview
		if p, err = instruments.MakePreview(v.ctx, v.desk(), r.PostForm); err == nil {
			s.render(w, v, http.StatusOK, "instrument.preview", p)
			return
		}
	}
	s.fail(w, v, err)
}

// giveInstrument gives the text of an instrument as a document.
func giveInstrument(v *visit) (string, string, []byte, error) {
	name, mediaType, b, err := instruments.Paper(v.ctx, v.desk())
	return paper.FileName(name), mediaType, b, err
}

// doReadInstrument shows what a document says otherwise. Nothing is stated by it.
func doReadInstrument(v *visit) (string, page, error) {
	files, err := fields.Files(v.r, "file")
	if err != nil {
		return "", nil, err
	}
	if len(files) != 1 {
		return "", nil, &api.Problem{Status: http.StatusBadRequest, Code: "no-file"}
	}
	r, err := instruments.Read(v.ctx, v.desk(), v.r.PostForm.Get("n"), files[0].Data)
	if err != nil {
		return "", nil, err
	}
	return "", &sheet[*instruments.Reading]{In: r, name: "instrument.read"}, nil
}

// doVerifyAsset says what a proof of a protected asset proves. Nothing is stated by it. No file is no proof, and said in the same place.
func doVerifyAsset(v *visit) (string, page, error) {
	files, err := fields.Files(v.r, "file")
	if err != nil {
		return "", nil, err
	}
	var file []byte
	if len(files) == 1 {
		file = files[0].Data
	}
	a, err := instruments.VerifyAsset(v.ctx, v.desk(), file, v.r.PostForm)
	if err != nil {
		return "", nil, err
	}
	return "", &sheet[*instruments.Assets]{In: a, name: "assets"}, nil
}
