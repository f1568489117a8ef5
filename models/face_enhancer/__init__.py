"""FaceEnhancer: learns the fine detail of one person's face."""
