-- Tells PostgREST about the new functions.
notify pgrst, 'reload schema';
