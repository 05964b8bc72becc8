"""What comes of a training: the merged model, the proof that it learned, and trying it out."""
