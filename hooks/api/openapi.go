package api

func openAPI(publicURL string) ([]byte, error) { return []byte("{}"), nil }

func (a *API) getOpenAPI(*request) (answer, error) { return answer{}, nil }
