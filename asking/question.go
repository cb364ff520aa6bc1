package asking

import (
	"errors"
	"fmt"

	"detente/canonical"
	"detente/observable"

	"github.com/cloudflare/circl/oprf"
)

// Question is what the asker keeps until the answer comes. Whoever sees it sees what was asked.
type Question struct {
	Elements []byte // what goes out: blinded, and as random as noise to anybody without the blinds, for ever

	values []observable.Observable
	blinds []oprf.Blind
}

// Ask blinds 1 to MaxBatch indicators, each in its one spelling. Errors: ErrCount, ErrKind.
func Ask(values []observable.Observable) (*Question, error) {
	if len(values) == 0 || len(values) > MaxBatch {
		return nil, fmt.Errorf("%w: %d, at most %d", ErrCount, len(values), MaxBatch)
	}
	inputs, err := inputsOf(values)
	if err != nil {
		return nil, err
	}
	// Blinding takes no key: the client of the plain mode would hash to another group element, so the verifiable one is asked with a stand-in.
	c, err := blinder()
	if err != nil {
		return nil, err
	}
	data, request, err := c.Blind(inputs)
	if err != nil {
		return nil, fmt.Errorf("asking: %w", err)
	}
	q := &Question{values: values, blinds: data.CopyBlinds()}
	q.Elements, err = joinElements(request.Elements)
	return q, err
}

// blinder is a client that only blinds.
func blinder() (oprf.VerifiableClient, error) {
	k, err := NewKey()
	if err != nil {
		return oprf.VerifiableClient{}, err
	}
	return oprf.NewVerifiableClient(suite(), k.private.Public()), nil
}

func inputsOf(values []observable.Observable) ([][]byte, error) {
	inputs := make([][]byte, len(values))
	for i, o := range values {
		var err error
		if inputs[i], err = Input(o); err != nil {
			return nil, err
		}
	}
	return inputs, nil
}

// Values are what was asked, in the order of the elements.
func (q *Question) Values() []observable.Observable { return q.values }

// kept is a question as it is written down: the parts stand beside each other in the order of the elements.
type kept struct {
	Kinds  []string `cbor:"kinds"`
	Values []string `cbor:"values"`
	Blinds [][]byte `cbor:"blinds"`
}

// maxKept bounds what is read back: a batch of the longest values.
const maxKept = MaxBatch * (observable.MaxValue + 128)

// Bytes is the question with its secret, to be kept on this machine until the answer has come, and nowhere else.
func (q *Question) Bytes() ([]byte, error) {
	var k kept
	for i, o := range q.values {
		b, err := q.blinds[i].MarshalBinary()
		if err != nil {
			return nil, fmt.Errorf("asking: %w", err)
		}
		k.Kinds, k.Values, k.Blinds = append(k.Kinds, string(o.Kind)), append(k.Values, o.Value), append(k.Blinds, b)
	}
	return canonical.Marshal(k)
}

// ParseQuestion reads what Bytes gave, and blinds anew: the elements are those that went out. Error: ErrSecret.
func ParseQuestion(b []byte) (*Question, error) {
	var k kept
	if err := canonical.Unmarshal(b, &k, maxKept); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSecret, err)
	}
	n := len(k.Values)
	if n == 0 || n > MaxBatch || len(k.Kinds) != n || len(k.Blinds) != n {
		return nil, ErrSecret
	}
	q := &Question{}
	for i := range n {
		o, err := observable.Parse(observable.Kind(k.Kinds[i]), k.Values[i])
		if err != nil || o.Value != k.Values[i] {
			return nil, ErrSecret
		}
		if len(k.Blinds[i]) != ElementSize || !reduced(k.Blinds[i]) {
			return nil, ErrSecret
		}
		scalar := suite().Group().NewScalar()
		if err := scalar.UnmarshalBinary(k.Blinds[i]); err != nil || scalar.IsZero() {
			return nil, ErrSecret
		}
		q.values, q.blinds = append(q.values, o), append(q.blinds, scalar)
	}
	_, request, err := q.blind()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSecret, err)
	}
	q.Elements, err = joinElements(request.Elements)
	return q, err
}

func (q *Question) blind() (*oprf.FinalizeData, *oprf.EvaluationRequest, error) {
	inputs, err := inputsOf(q.values)
	if err != nil {
		return nil, nil, err
	}
	c, err := blinder()
	if err != nil {
		return nil, nil, err
	}
	return c.DeterministicBlind(inputs, q.blinds)
}

// Finish verifies that the answer was made with the key that the list was published with, and gives what to look for in the list, in the order of
// Values. Errors: ErrKey, ErrCount, ErrElement, ErrProof.
func (q *Question) Finish(public, evaluated, proof []byte) ([]Entry, error) {
	pub, err := parsePublic(public)
	if err != nil {
		return nil, err
	}
	elements, err := parseElements(evaluated)
	if err != nil {
		return nil, err
	}
	if len(elements) != len(q.values) {
		return nil, fmt.Errorf("%w: %d of %d", ErrCount, len(elements), len(q.values))
	}
	p, err := parseProof(proof)
	if err != nil {
		return nil, err
	}
	data, _, err := q.blind()
	if err != nil {
		return nil, err
	}
	outputs, err := oprf.NewVerifiableClient(suite(), pub).Finalize(data, &oprf.Evaluation{Elements: elements, Proof: p})
	if errors.Is(err, oprf.ErrInvalidProof) {
		return nil, ErrProof
	}
	if err != nil {
		return nil, fmt.Errorf("asking: finalize: %w", err)
	}
	entries := make([]Entry, len(outputs))
	for i, out := range outputs {
		entries[i] = Entry(out[:EntrySize])
	}
	return entries, nil
}
