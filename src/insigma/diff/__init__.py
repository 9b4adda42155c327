"""What a change of a pack does: two trees of one repository, compared rule by rule."""
