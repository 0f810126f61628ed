-- Makes PostgREST reload its schema cache.
notify pgrst, 'reload schema';
