"""The exercises of unit 04, in the order of the notebook; one module each."""

from .auroc_bank import AUROC
from .autoencoder_variants import AUTOENCODER
from .choose_threshold_bank import CHOOSE_THRESHOLD
from .cluster_codes_bank import CLUSTER_CODES
from .corrupt_variants import CORRUPT
from .denoising_loss_bank import DENOISING_LOSS
from .detection_report_bank import DETECTION_REPORT
from .few_label_accuracy_bank import FEW_LABEL_ACCURACY
from .find_blind_spot_bank import FIND_BLIND_SPOT
from .hole_fraction_bank import HOLE_FRACTION
from .linear_ae_vs_pca_variants import LINEAR_AE_VS_PCA
from .linear_probe_variants import LINEAR_PROBE
from .nearest_farthest_ratio_bank import NEAREST_FARTHEST_RATIO
from .predict_nearest_farthest import PREDICT_NEAREST_FARTHEST
from .predict_noise_kept import PREDICT_NOISE_KEPT
from .reconstruction_score_bank import RECONSTRUCTION_SCORE
from .score_from_denoiser_bank import SCORE_FROM_DENOISER
from .shell_radius_bank import SHELL_RADIUS

EXERCISES = (
    AUTOENCODER,
    LINEAR_AE_VS_PCA,
    PREDICT_NOISE_KEPT,
    CORRUPT,
    DENOISING_LOSS,
    SCORE_FROM_DENOISER,
    HOLE_FRACTION,
    RECONSTRUCTION_SCORE,
    CHOOSE_THRESHOLD,
    DETECTION_REPORT,
    AUROC,
    FIND_BLIND_SPOT,
    LINEAR_PROBE,
    FEW_LABEL_ACCURACY,
    CLUSTER_CODES,
    SHELL_RADIUS,
    PREDICT_NEAREST_FARTHEST,
    NEAREST_FARTHEST_RATIO,
)
