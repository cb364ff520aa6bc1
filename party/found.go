package party

import (
	"fmt"
	"time"

	"detente/key"
	"detente/traffic"
)

// Plan is what a party decides before it is founded.
type Plan struct {
	Party     traffic.Party
	Name      map[string]string // by language tag
	Languages []string
	Posts     []PostPlan // nil for DefaultPosts
	Routes    []Route
	Roots     int // holders of root keys; 0 for 3 with 2 needed
	Need      int // how many of them must approve a charter
}

// PostPlan is one post of a plan. Every post gets an Ed25519 key on each plane.
type PostPlan struct {
	Name    traffic.Post
	May     []string
	Lattice bool // an ML-DSA-65 key too, for instruments and guarantees
}

// DefaultPosts is the offices that most parties have.
func DefaultPosts() []PostPlan {
	watch := []string{Receive, Acknowledge, Answer}
	full := []string{Receive, Acknowledge, Answer, Commit}
	return []PostPlan{
		{Name: "nrrc", May: watch}, {Name: "cert", May: watch}, {Name: "experts", May: watch},
		{Name: "council", May: full, Lattice: true}, {Name: "mfa", May: full, Lattice: true},
	}
}

// Found makes all keys of a new party and version 1 of its charter, approved by every root, which proves that each holder's keys work.
// Nothing is written anywhere. Errors: those of a charter's decoder, for a plan that makes no charter.
func Found(plan Plan) (*Charter, *Keyring, []*RootKey, error) {
	if plan.Posts == nil {
		plan.Posts = DefaultPosts()
	}
	if plan.Roots == 0 {
		plan.Roots, plan.Need = 3, 2
	}
	if plan.Roots > maxHolders {
		return nil, nil, nil, fmt.Errorf("%w: %d holders; the signatures of %d fit a charter", ErrRoots, plan.Roots, maxHolders)
	}
	ring := newKeyring(plan.Party)
	c := Contents{
		Party: plan.Party, Name: plan.Name, Version: 1, Issued: time.Now().UTC().Truncate(time.Second), Need: plan.Need,
		Languages: plan.Languages, Routes: plan.Routes,
	}
	var roots []*RootKey
	for range plan.Roots {
		r, err := newRoot(plan.Party)
		if err != nil {
			return nil, nil, nil, err
		}
		roots = append(roots, r)
		c.Roots = append(c.Roots, r.Public())
	}
	for _, p := range plan.Posts {
		post, err := ring.newPost(p)
		if err != nil {
			return nil, nil, nil, err
		}
		c.Posts = append(c.Posts, post)
	}
	if err := ring.newNode(&c.Node); err != nil {
		return nil, nil, nil, err
	}
	charter, err := SignCharter(NewDraft(c, key.Standard()), roots...)
	if err != nil {
		return nil, nil, nil, err
	}
	if ring, err = ring.Under(charter); err != nil {
		return nil, nil, nil, err
	}
	return charter, ring, roots, nil
}

func (k *Keyring) newPost(plan PostPlan) (Post, error) {
	post := Post{Name: plan.Name, May: plan.May}
	algorithms := []key.Algorithm{key.Ed25519}
	if plan.Lattice {
		algorithms = append(algorithms, key.MLDSA65)
	}
	for _, plane := range traffic.Planes() {
		for _, a := range algorithms {
			public, err := k.generate(a)
			if err != nil {
				return Post{}, err
			}
			post.Keys = append(post.Keys, PlaneKey{Plane: plane, Key: public})
		}
	}
	return post, nil
}

func (k *Keyring) newNode(n *NodeKeys) (err error) {
	for _, place := range n.signing() {
		if *place.key, err = k.generate(place.algorithm); err != nil {
			return err
		}
	}
	n.Sealing, err = k.generateSealing()
	return err
}
