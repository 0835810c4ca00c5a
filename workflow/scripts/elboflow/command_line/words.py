"""The help of each command: what it writes, with examples."""

TOP = """
A trained model on your own images, without code and without the workflow.

  elboflow score MODEL IMAGES -o scores.csv       log p(x) of each image
  elboflow encode MODEL IMAGES -o z.npz           the means of q(z | x)
  elboflow reconstruct MODEL IMAGES -o means.png  E[x | z] of these means
  elboflow sample MODEL -o samples.png            images that the model makes

`elboflow COMMAND --help` has examples.
"""
STATUS = """
Exit status: 0 done, 1 it could not be done (one line says why), 2 wrong
arguments, 130 stopped.
"""
MODEL = "folder of a training, as results/runs/RUN/seed1, or its model.safetensors"
IMAGES = (
    "an .npy, .npz or idx file, packed with gzip or not, of shape (images, height, width), "
    "(images, height, width, 3) or (images, pixels), or a folder of PNG files; integers are grey "
    "levels from 0 to the highest of the model's data, floats level / highest, bool black and "
    "white; a model of binary images takes 0 and 1 as they are and draws others once"
)

SCORE = """
Writes a row for each image: log p(x) in nats of what the model observes, its
Monte Carlo error, and 1 where the importance weights can be trusted (Pareto k),
else 0. Prints their mean with its errors. The noise of image i depends on
--seed and i alone: the same call gives the same numbers.

examples:
  elboflow score results/runs/large_latent/seed1 my_digits.npy -o scores.csv
  elboflow score model.safetensors images-idx3-ubyte.gz -o scores.npz \\
      --samples 5000
  elboflow score results/runs/large_latent/seed1 \\
      results/data/digits/test_binary.npy -o scores.csv --seed 1

The last has the numbers of results/runs/large_latent/seed1/per_image.csv, whose
seed is evaluation_seed x 2^32 + that of the training.

A high log p(x) does not say that an image is like those of the training: models
may give other images a higher likelihood than their own (Nalisnick et al. 2019,
arXiv:1810.09136).
"""
ENCODE = """
Writes the means of q(z | x): columns z0, z1, ... of a CSV, or the array z of an
.npz, shape (images, L).

examples:
  elboflow encode results/runs/large_latent/seed1 my_digits.npy -o z.csv
  elboflow encode model.safetensors folder_of_png -o z.npz
"""
RECONSTRUCT = """
Writes the mean images E[x | z] of the means of q(z | x): as floats in [0, 1] in
the array images of an .npz, or as grey levels 0 to 255 in one .png side by
side, or in a new folder of PNG files (a name that ends in /).

examples:
  elboflow reconstruct results/runs/large_latent/seed1 my_digits.npy -o means.png
  elboflow reconstruct model.safetensors folder_of_png -o means/
"""
SAMPLE = """
Writes images x ~ p(x): as the model observes them in the array images of an
.npz, or as grey levels 0 to 255 in one .png side by side, or in a new folder of
PNG files (a name that ends in /). Image i depends on --seed and i alone; of a
class of your own that draws by torch's generator, on --count as well.

examples:
  elboflow sample results/runs/large_latent/seed1 -o samples.png
  elboflow sample results/runs/large_latent/seed1 -o smooth.png --mean
  elboflow sample model.safetensors -o samples/ --count 1000 --seed 3
"""
