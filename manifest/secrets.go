package manifest

import "github.com/flaghook/flaghook/render"

// MaskedSecret stands for a secret in what the server shows.
const MaskedSecret = "********"

// Mask returns the config with its secrets replaced by [MaskedSecret]. Empty
// secrets stay empty, so that one can see that nothing is set; what the
// manifest does not know is masked too, since it may once have been a secret.
func (i *Integration) Mask(config render.Value) render.Value {
	for key, value := range config.Members() {
		if absent(value) || value.Kind() == render.KindString && value.AsString() == "" {
			continue
		}
		if v := i.Variable(key); v == nil || v.IsSecret {
			config = config.With(key, render.String(MaskedSecret))
		}
	}
	return config
}
